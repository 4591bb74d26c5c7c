"""What jobs work with: connections, knowledge bases, datasets, secrets; and whether a run may use them."""
