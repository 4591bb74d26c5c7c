"""Fixtures that more than one kind of test asks for."""

from tests.harness.postgres import postgres_database, postgres_server

__all__ = ["postgres_database", "postgres_server"]
