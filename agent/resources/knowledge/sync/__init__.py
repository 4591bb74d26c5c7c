"""Rows of a table into a knowledge base: what `kb-sync` and `kb-reset` share."""
