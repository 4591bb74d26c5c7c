"""Contents of files that jobs keep: by what they are, each once."""

from agent.resources.blobs.store import FileBlobStore

__all__ = ["FileBlobStore"]
