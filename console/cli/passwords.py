"""Passwords come from a terminal that does not show them, or from standard input: never from the process list."""

from __future__ import annotations

import sys

import typer

from shared.errors import InvalidInput


def ask_password(*, twice: bool) -> str:
    """`twice`: a new one, typed again to be sure. InvalidInput where there is none to read."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, err=True, confirmation_prompt=twice))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidInput.one("password", "write it to standard input")
    return given
