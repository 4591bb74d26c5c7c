"""Who calls, what that allows, and what is recorded of it."""
