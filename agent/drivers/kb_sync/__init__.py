"""The job type `kb-sync`: rows of a table into a knowledge base, incrementally."""
