"""The code of `kb-reset`."""

from agent.resources.knowledge.sync.check import check
from agent.resources.knowledge.sync.run import reset as run

__all__ = ["check", "run"]
