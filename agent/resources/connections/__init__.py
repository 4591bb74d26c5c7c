"""Data sources: their addresses, how they are opened and looked at, and what their failures mean."""

from agent.resources.connections.arguments import connect_args
from agent.resources.connections.engine import open_source
from agent.resources.connections.failures import first_line, naming_failures
from agent.resources.connections.inspection import ColumnInfo, TableInfo, find_table, list_tables
from agent.resources.connections.lookup import look_up
from agent.resources.connections.probe import describe_source, test_source
from agent.resources.connections.query_time import in_time, query_time
from agent.resources.connections.urls import join_credentials, kind_of, parse_url, split_credentials

__all__ = [
    "ColumnInfo",
    "TableInfo",
    "connect_args",
    "describe_source",
    "find_table",
    "first_line",
    "in_time",
    "join_credentials",
    "kind_of",
    "list_tables",
    "look_up",
    "naming_failures",
    "open_source",
    "parse_url",
    "query_time",
    "split_credentials",
    "test_source",
]
