"""What jobs work with, and what syncs made of it."""
