"""The job type `dataset-refresh`: runs a dataset's query and stores what it finds."""
