"""The action `dataset`: refresh, snapshot, query or export a dataset as a step of a job."""
