"""The screens: what the model knows, put together from widgets, and what the operator can do with it."""
