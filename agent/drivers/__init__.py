"""The code behind job types: one folder each, with `manifest.py` (light, read by the agent) and the code (workers only)."""
