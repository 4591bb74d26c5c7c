"""When does a job behave unlike itself? Pure rules: history and time are handed in."""
