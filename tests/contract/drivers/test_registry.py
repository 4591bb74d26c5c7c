from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.drivers.registry import DriverRegistry
from shared.errors import InvalidInput


def test_the_built_in_drivers_are_there() -> None:
    registry = DriverRegistry()
    assert {"command", "api-call"} <= {manifest.type for manifest in registry.list()}
    assert registry.get("command").runs_programs
    assert not registry.get("api-call").repeat_safe


def test_every_manifest_is_whole() -> None:
    for manifest in DriverRegistry().list():
        assert manifest.title
        assert manifest.help
        manifest.parameters.model_validate(manifest.template)


def test_an_unknown_type_names_those_that_exist() -> None:
    with pytest.raises(InvalidInput) as refused:
        DriverRegistry().get("comand")
    assert refused.value.faults[0].field == "type"
    assert "command" in refused.value.faults[0].message


def test_plug_ins_are_found_and_a_broken_one_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
    points = [
        "good = plug_good:MANIFEST",
        "broken = plug_broken:MANIFEST",
        "odd = plug_good:OTHER",
        "twice = plug_good:TWICE",
        "open = plug_open:MANIFEST",
    ]
    (info / "entry_points.txt").write_text("[jobdeck.drivers]\n" + "\n".join(points))
    (tmp_path / "plug_broken.py").write_text("import no_such_module\n")
    (tmp_path / "plug_good.py").write_text(
        "from dataclasses import replace\n"
        "from agent.drivers.command.manifest import MANIFEST as command\n"
        "MANIFEST = replace(command, type='plugged')\nTWICE = command\nOTHER = 3\n"
    )
    (tmp_path / "plug_open.py").write_text(
        "from pydantic import BaseModel, SecretStr\n"
        "from agent.core.driving import Manifest\n"
        "class Login(BaseModel):\n    user: str = ''\n    word: SecretStr | None = None\n"
        "class P(BaseModel):\n    login: Login | None = None\n"
        "MANIFEST = Manifest(type='open', title='Open', help='', parameters=P, entry='plug_open:run')\n"
    )
    registry = DriverRegistry()
    assert registry.get("plugged").type == "plugged"
    assert set(registry.faults) == {"plug_broken:MANIFEST", "plug_good:OTHER", "plug_good:TWICE", "plug_open:MANIFEST"}
    assert "no_such_module" in registry.faults["plug_broken:MANIFEST"]
    assert "its parameter 'word' is a secret" in registry.faults["plug_open:MANIFEST"]


def test_listing_drivers_loads_none_of_their_code() -> None:
    code = (
        "import sys; from agent.drivers.registry import DriverRegistry; assert DriverRegistry().list();"
        "heavy = [m for m in sys.modules if m.startswith('agent.drivers.') and m.endswith('.run')]"
        " + [m for m in ('httpx', 'numpy', 'sqlalchemy') if m in sys.modules]; assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
