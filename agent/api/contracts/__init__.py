"""Published APIs of others, each a thin adapter over the core; none knows of another."""
