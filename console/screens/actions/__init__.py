"""What a job does after its own work: its actions, listed, edited, tried out."""
