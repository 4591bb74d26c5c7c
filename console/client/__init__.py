"""The way to an agent. Importing this loads neither httpx nor pydantic: the first frame is painted before them."""

from console.client.agent import AgentClient
from console.client.line import Offline, Online
from console.client.stream import EventStream, Reset, Signal
from console.client.target import Target, resolve

__all__ = ["AgentClient", "EventStream", "Offline", "Online", "Reset", "Signal", "Target", "resolve"]
