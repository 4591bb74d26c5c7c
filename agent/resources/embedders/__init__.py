"""Embedders: texts into unit vectors. Named by a word (`wordllama`) or an address (`openai:<model>@<base url>`)."""

from agent.resources.embedders.names import EmbedderName, parse_embedder
from agent.resources.embedders.opening import Embedder, Vectors, open_embedder

__all__ = ["Embedder", "EmbedderName", "Vectors", "open_embedder", "parse_embedder"]
