"""What the documents say is there, and what is there they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from agent.core.driving import Manifest
from agent.drivers.registry import DriverRegistry
from agent.settings import Settings
from shared.commands import COMMANDS
from shared.models import Policies

ROOT = Path(__file__).parents[2]
DRIVERS = DriverRegistry().list()


def read(name: str) -> str:
    return (ROOT / name).read_text()


def names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


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


def test_the_readme_uses_commands_that_are_there() -> None:
    used = set(re.findall(r"^jobdeck ([a-z]+)", read("README.md"), re.MULTILINE))
    assert used
    assert used <= set(COMMANDS)


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]
