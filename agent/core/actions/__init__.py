"""Jobs of several steps: what their actions are, when they run, and what becomes of them."""
