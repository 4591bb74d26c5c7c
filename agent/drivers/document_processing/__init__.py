"""The job type `document_processing`: files into text, metadata and chunks, for searches or as JSON Lines."""
