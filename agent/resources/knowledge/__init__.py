"""Knowledge bases: a folder each, whose SQLite file is the truth; writers in workers, searches in a reader process."""
