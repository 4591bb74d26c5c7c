"""Mail of runs: what is written, to whom, and by which server."""
