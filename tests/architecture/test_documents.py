"""What the documents say is there, and what is there they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from agent.cli.commands import app as of_agent
from agent.core.driving import Manifest
from agent.drivers.registry import DriverRegistry
from agent.settings import Settings
from console.cli.app import app as of_console
from shared import exits
from shared.commands import COMMANDS, HELP
from shared.exits import Exit
from shared.models import Policies
from tests.harness.commands import commands_in, commands_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DRIVERS = DriverRegistry().list()
TREES = [typer.main.get_command(app) for app in (of_agent, of_console)]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def every_command() -> Iterator[Any]:
    found: list[Any] = list(TREES)
    for command in found:
        found += getattr(command, "commands", {}).values()
    return iter(found)


def understand(words: list[str]) -> None:
    """What follows `jobdeck` names a command and gives it what it takes; nothing is done."""
    if not words or words[0] == "completion":
        return
    command: Any = next(tree for tree in TREES if words[0] in tree.commands)
    rest = list(words)
    while rest and hasattr(command, "commands"):
        assert rest[0] in command.commands, f"there is no `jobdeck {' '.join(words)}`"
        command = command.commands[rest.pop(0)]
    command.make_context(words[0], rest)


@pytest.mark.parametrize("manifest", DRIVERS, ids=lambda manifest: manifest.type)
def test_every_parameter_of_a_type_is_explained(manifest: Manifest) -> None:
    text = read("docs/jobs.md")
    assert f"## `{manifest.type}`" in text
    assert not {name for name in names(manifest.parameters) if f"`{name}`" not in text}


def test_every_policy_is_explained() -> None:
    text = read("docs/jobs.md")
    assert not {name for name in names(Policies) if name not in text}


def test_every_setting_is_explained() -> None:
    text = read("docs/operations.md")
    assert not {name for name in Settings.model_fields if f"`{name}`" not in text}


def test_every_option_of_a_command_says_what_it_does() -> None:
    options = [(command.name, option) for command in every_command() for option in command.params if option.opts]
    assert options
    assert not [(name, option.name) for name, option in options if not option.help]


def test_the_readme_uses_commands_that_are_there() -> None:
    used = set(re.findall(r"^jobdeck ([a-z]+)", read("README.md"), re.MULTILINE))
    assert used
    assert used <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_printed_is_understood(page: Path) -> None:
    for words in commands_in(str(page.relative_to(ROOT))):
        understand(words)


def test_the_exit_codes_are_the_same_wherever_they_are_told() -> None:
    codes = {int(code) for code in Exit}
    for text in (read("docs/operations.md").partition("## Exit codes")[2].partition("\n## ")[0], exits.__doc__ or ""):
        assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes
    told = HELP.partition("Exit codes:")[2]
    assert {int(code) for code in re.findall(r"\d+", told)} == codes


def test_the_first_help_fits_eighty_columns() -> None:
    width = max(map(len, COMMANDS)) + 4
    assert not [line for line in HELP.splitlines() if len(line) > 80]
    assert not [name for name, command in COMMANDS.items() if width + len(command.about) > 80]


def test_every_example_of_a_help_text_is_understood() -> None:
    for command in every_command():
        for example in re.findall(r"Example: (.*)", command.help or ""):
            for words in commands_of(example):
                understand(words)


def test_no_line_of_a_list_of_commands_is_cut_off() -> None:
    for group in list(every_command())[len(TREES) :]:  # `jobdeck --help` is a list of its own
        below = getattr(group, "commands", {})
        room = 74 - max(map(len, below), default=0)
        assert not [name for name, each in below.items() if each.get_short_help_str(room).endswith("...")]


def test_links_between_documents_lead_somewhere() -> None:
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]
