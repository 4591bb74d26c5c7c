"""Datasets: their snapshots on disk, and how rows get in and out of them. DuckDB is loaded where work is done, not here."""
