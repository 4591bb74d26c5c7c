"""Logs of runs, as files: segments of text, and an index in which every line has its fixed place."""

from agent.resources.logs.store import FileLogStore

__all__ = ["FileLogStore"]
