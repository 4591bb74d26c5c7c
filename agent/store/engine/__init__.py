"""The database itself: one connection that writes, some that read, and whether it takes what it is given."""
