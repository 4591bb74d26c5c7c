"""The verbs of the store, a subject a file; each hands to the functions that stand beside this folder."""
