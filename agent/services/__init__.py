"""What the agent does by itself, one duty a file, all of one shape: `poll` works and says how long to rest."""
