"""The parts of the first schema, a subject a file."""
