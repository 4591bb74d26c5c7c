"""Runs, from their making to their end: each move guarded, each write under its fence."""
