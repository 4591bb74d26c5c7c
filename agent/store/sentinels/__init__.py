"""What sentinels are judged from, and what came of it."""
