"""Who sees what, with whom it is shared, and the record of what was done."""
