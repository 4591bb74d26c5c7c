"""Where Jobdeck keeps things: the environment and the user's number come in, paths go out.

| what | place |
|---|---|
| data of the agent | `JOBDECK_DATA_DIR`, else `/var/lib/jobdeck` for root, else `$XDG_STATE_HOME/jobdeck` (`~/.local/state/jobdeck`) |
| store of the agent | `<data>/jobdeck.db` |
| socket of the agent | `<data>/run/agent.sock`; the folder is 0700, so being able to reach it is the right to use it |
| settings of the console | `JOBDECK_CONSOLE_CONFIG`, else `$XDG_CONFIG_HOME/jobdeck/console.toml` |
| token of the user | `JOBDECK_TOKEN_FILE`, else `$XDG_CONFIG_HOME/jobdeck/token`; only its owner may read it |
| what the console remembers | `$XDG_STATE_HOME/jobdeck-console` |

Root gets the machine's place: a service and the operator who is paged for it then meet without settings.
Every user's console remembers apart from any agent's data, so that removing the one keeps the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from shared.errors import InvalidInput

Environment = Mapping[str, str]

STORE_FILE = "jobdeck.db"
SECRET_FILE_MODE = 0o600
"""Mode of files that hold a token or a key."""


def data_dir(environment: Environment | None = None, uid: int | None = None) -> Path:
    """The agent's data: store, logs, knowledge bases, keys. InvalidInput if the variable is not an absolute path.

    Without arguments: this process's own environment and user.
    """
    environment = os.environ if environment is None else environment
    uid = os.geteuid() if uid is None else uid
    if "JOBDECK_DATA_DIR" in environment:
        return _absolute(environment, "JOBDECK_DATA_DIR")
    if uid == 0:
        return Path("/var/lib/jobdeck")
    return _state_home(environment) / "jobdeck"


def store_path(data: Path) -> Path:
    return data / STORE_FILE


def run_dir(data: Path) -> Path:
    return data / "run"


def socket_path(data: Path) -> Path:
    """The agent's Unix socket; `shared.sockets` knows the way to one whose path is long."""
    return run_dir(data) / "agent.sock"


def console_config(environment: Environment) -> Path:
    if "JOBDECK_CONSOLE_CONFIG" in environment:
        return _absolute(environment, "JOBDECK_CONSOLE_CONFIG")
    return _config_home(environment) / "jobdeck" / "console.toml"


def console_state_dir(environment: Environment) -> Path:
    return _state_home(environment) / "jobdeck-console"


def token_file(environment: Environment) -> Path:
    if "JOBDECK_TOKEN_FILE" in environment:
        return _absolute(environment, "JOBDECK_TOKEN_FILE")
    return _config_home(environment) / "jobdeck" / "token"


def _absolute(environment: Environment, variable: str) -> Path:
    text = environment[variable]
    path = _home(environment) / text[2:] if text.startswith("~/") else Path(text)
    if not path.is_absolute():
        raise InvalidInput.one(variable, "write an absolute path, as in /srv/jobdeck", text)
    return path


def _state_home(environment: Environment) -> Path:
    return _xdg(environment, "XDG_STATE_HOME", ".local/state")


def _config_home(environment: Environment) -> Path:
    return _xdg(environment, "XDG_CONFIG_HOME", ".config")


def _xdg(environment: Environment, variable: str, default: str) -> Path:
    """The XDG rule: a value that is not absolute is ignored."""
    given = Path(environment.get(variable, ""))
    return given if given.is_absolute() else _home(environment) / default


def _home(environment: Environment) -> Path:
    home = Path(environment.get("HOME", ""))
    if not home.is_absolute():
        raise InvalidInput.one("HOME", "is needed to find your files; set it, or JOBDECK_DATA_DIR", str(home))
    return home
