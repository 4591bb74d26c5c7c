"""The code of `kb-sync`."""

from agent.resources.knowledge.sync.check import check
from agent.resources.knowledge.sync.run import synchronise as run

__all__ = ["check", "run"]
