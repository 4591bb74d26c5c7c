"""Runs: read and listed, handed to workers, and what becomes of them when an attempt ends."""
