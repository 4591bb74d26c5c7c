"""A whole working world in a temporary folder: nothing in it is canned, everything has really run."""

from agent.demo.play import run_demo

__all__ = ["run_demo"]
