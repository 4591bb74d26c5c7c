"""What jobs work with: connections, datasets, knowledge bases, libraries, logs, blobs."""
