"""Jobs as text: definitions in files, read, written, and found again by line."""

from shared.definitions.differences import differences
from shared.definitions.documents import Document, documents
from shared.definitions.places import line_of
from shared.definitions.text import definition_of, read, write

__all__ = ["Document", "definition_of", "differences", "documents", "line_of", "read", "write"]
