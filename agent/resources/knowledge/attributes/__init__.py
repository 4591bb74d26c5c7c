"""The attributes that searches filter by: how they are shown of what the source has, and how that is replaced."""
