"""Jobs and their drafts: published, changed, found and listed."""
