"""The job type `snapshot-cleanup`: drops snapshots by count and age."""
