"""Jobs as they are: published, listed, and why each did or did not run."""
