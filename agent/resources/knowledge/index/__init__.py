"""The vector index of a knowledge base: made by a job, derived from the rows, a first choice for searches."""
