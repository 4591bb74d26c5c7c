"""Where things are and whom to ask: environment and settings in, places and targets out."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from console.client import resolve
from console.client.target import Target, parse
from console.settings import Settings, load
from shared import places
from shared.errors import InvalidInput
from shared.sockets import way_to

HOME = {"HOME": "/home/ada"}


def test_data_are_where_the_variable_says_then_by_user() -> None:
    assert places.data_dir({**HOME, "JOBDECK_DATA_DIR": "/srv/jd"}, 0) == Path("/srv/jd")
    assert places.data_dir({**HOME, "JOBDECK_DATA_DIR": "~/jd"}, 0) == Path("/home/ada/jd")
    assert places.data_dir(HOME, 0) == Path("/var/lib/jobdeck")
    assert places.data_dir(HOME, 1000) == Path("/home/ada/.local/state/jobdeck")
    assert places.data_dir({**HOME, "XDG_STATE_HOME": "/x"}, 1000) == Path("/x/jobdeck")
    assert places.data_dir({**HOME, "XDG_STATE_HOME": "relative"}, 1000) == Path("/home/ada/.local/state/jobdeck")


@pytest.mark.parametrize(("environment", "field"), [({"JOBDECK_DATA_DIR": "data"}, "JOBDECK_DATA_DIR"), ({}, "HOME")])
def test_a_place_that_is_none_is_named(environment: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        places.data_dir(environment, 1000)
    assert caught.value.faults[0].field == field


@pytest.mark.parametrize("excess", [0, 1, 500])
def test_a_socket_is_reached_however_long_its_path_is(tmp_path: Path, excess: int) -> None:
    folder = tmp_path
    while (room := 107 + excess - len(str(folder / "agent.sock"))) > 0:
        folder /= "d" * max(1, min(room - 1, 200))
    path = folder / "agent.sock"
    with pytest.raises(OSError, match="such file"), socket.socket(socket.AF_UNIX) as early:
        early.connect(way_to(path))
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as door, socket.socket(socket.AF_UNIX) as caller:
        door.bind(way_to(path))
        door.listen()
        caller.connect(way_to(path))
        assert path.is_socket()
    assert (way_to(path) == str(path)) is (excess == 0)


def test_a_long_path_is_refused_where_there_is_no_other_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.sockets._HANDLES", tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="3 bytes too long"):
        way_to(Path("/" + "d" * (110 - len("/run/agent.sock") - 1)) / "run" / "agent.sock")


def test_nothing_said_means_the_local_socket() -> None:
    target = resolve(HOME, 1000)
    assert (target.name, target.socket) == ("local", Path("/home/ada/.local/state/jobdeck/run/agent.sock"))


@pytest.mark.parametrize("text", ["/run/a.sock", "unix:/run/a.sock"])
def test_a_socket_by_name(text: str) -> None:
    assert resolve({**HOME, "JOBDECK_AGENT": text}, 1000).socket == Path("/run/a.sock")


@pytest.mark.parametrize("text", ["ftp://x", "host:80", "http://", "https://h/?q", "jobs", "https://ada:pw@h"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse("JOBDECK_AGENT", text)
    assert caught.value.faults[0].field == "JOBDECK_AGENT"
    assert "pw" not in str(caught.value)


def test_a_token_is_read_from_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc123\n")
    path.chmod(0o640)
    environment = {"HOME": str(tmp_path), "JOBDECK_AGENT": "https://h/base/", "JOBDECK_TOKEN_FILE": str(path)}
    with pytest.raises(InvalidInput, match="chmod 600"):
        resolve(environment, 1000)
    path.chmod(0o600)
    assert resolve(environment, 1000) == Target("h", "https://h/base", None, "abc123")
    assert resolve({**environment, "JOBDECK_TOKEN": "other"}, 1000).token == "other"
    assert "abc123" not in repr(resolve(environment, 1000))


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "naïve"])
def test_a_token_cannot_smuggle_headers(token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve({**HOME, "JOBDECK_TOKEN": token}, 1000)
    assert token not in str(caught.value)


def test_contexts_come_from_the_settings_and_the_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "console.toml"
    path.write_text(
        'theme = "light"\ncontext = "prod"\n[keys]\nrerun = "R"\n[contexts.prod]\nagent = "https://p"\ncolour = "red"\n'
    )
    settings = load(path)
    assert (settings.theme, settings.keys["rerun"]) == ("light", ("R",))
    assert resolve(HOME, 1000, settings) == Target("prod", "https://p", colour="red")
    assert resolve({**HOME, "JOBDECK_AGENT": "https://q"}, 1000, settings).url == "https://q"
    assert resolve({**HOME, "JOBDECK_CONTEXT": "prod", "JOBDECK_AGENT": "https://q"}, 1000, settings).name == "prod"
    with pytest.raises(InvalidInput, match=r"no context 'x' \(prod\)"):
        resolve({**HOME, "JOBDECK_CONTEXT": "x"}, 1000, settings)


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('theme = "pink"', ["theme"]),
        ("theme = 3", ["theme"]),
        ('colour = "red"\n[keys]\nrerun = 3', ["colour", "keys.rerun"]),
        ('context = "x"', ["context"]),
        ("contexts = 3", ["contexts"]),
        ('[contexts.a]\ntoken = "t"', ["contexts.a.token", "contexts.a.agent"]),
        ("[contexts]\na = 3", ["contexts.a"]),
    ],
)
def test_every_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, fields: list[str]) -> None:
    path = tmp_path / "console.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load(path)
    assert [fault.field for fault in caught.value.faults] == [f"{path}: {field}" for field in fields]


def test_broken_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "console.toml"
    path.write_bytes(b"theme = \xff")
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(path)
    path.write_text("theme =")
    with pytest.raises(InvalidInput, match="is not TOML"):
        load(path)
