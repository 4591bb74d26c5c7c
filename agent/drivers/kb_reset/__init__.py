"""The job type `kb-reset`: a table's share of a knowledge base, made anew."""
