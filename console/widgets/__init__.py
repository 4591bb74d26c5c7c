"""Parts of screens. Data goes down into them, messages come up."""
