"""What Jobdeck is measured beside."""
