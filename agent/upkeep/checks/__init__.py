"""What the doctor looks at: each room asks about one thing and yields what it finds."""
