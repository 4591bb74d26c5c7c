"""The job type `corpus-rebuild-vector-index`: an index that makes a large knowledge base quick to search."""
