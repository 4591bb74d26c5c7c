"""`jobdeck user`, `account`, `token`, `login`, `logout`, `whoami` as processes against an agent that runs as one too."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent import CHEAP
from tests.harness.agent_process import AgentProcess, agent_process
from tests.harness.shell import Shell

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, AgentProcess]]:
    data = tmp_path_factory.mktemp("people") / "data"
    shell = Shell(data)
    cheap = {"JOBDECK_PASSWORDS": json.dumps(CHEAP)}
    with agent_process(data, "--workers", "1", env=shell.environment | cheap) as agent:
        yield shell, agent


@pytest.fixture
def shell(running: tuple[Shell, AgentProcess]) -> Shell:
    return running[0]


@pytest.fixture
def elsewhere(running: tuple[Shell, AgentProcess], tmp_path: Path) -> dict[str, str]:
    """The environment of somebody on another machine: no socket, a home of its own."""
    return {"HOME": str(tmp_path), "JOBDECK_AGENT": running[1].url, "JOBDECK_DATA_DIR": str(tmp_path / "none")}


def test_users_from_making_to_disabling(shell: Shell) -> None:
    assert shell("user", "create", "dora", "--admin", given=f"{PASSWORD}\n") == "created dora\n"
    assert "already a user" in shell("user", "create", "Dora", "--no-password", code=6)
    assert "10 characters" in shell("user", "create", "emil", given="short\n", code=2)
    assert "standard input" in shell("user", "create", "emil", code=2)
    shown = shell.json("user", "show", "dora")
    assert (shown["hasPassword"], shown["memberships"][0]["role"]) == (True, "admin")
    assert shell("user", "role", "dora", "--code") == "default: member and code\n"
    assert {"dora", "operator"} <= {each["handle"] for each in shell.json("user", "list")}
    assert "member and code" in shell("user", "list")
    assert shell("user", "password", "dora", given="another password\n") == ""
    assert "--yes" in shell("user", "disable", "dora", code=2)
    assert shell("user", "disable", "dora", "--yes") == "disabled dora\n"
    assert "disabled" in shell("user", "show", "dora")
    assert shell("user", "enable", "dora") == "enabled dora\n"
    assert "no user 'nobody'" in shell("user", "show", "nobody", code=3)
    assert "agent's own user" in shell("user", "disable", "operator", "--yes", code=6)


def test_accounts_and_their_users(shell: Shell) -> None:
    assert shell("account", "create", "sales") == "created sales\n"
    assert "already an account" in shell("account", "create", "sales", code=6)
    shell("user", "create", "fred", "--account", "sales", "--no-password")
    assert "fred" in shell("user", "list")
    accounts = {each["id"]: each["users"] for each in shell.json("account", "list")}
    assert (accounts["sales"], "default" in accounts) == (2, True)
    token = shell("token", "create", "ci", "--scope", "read", "--user", "fred", "--account", "sales").strip()
    assert shell("whoami", JOBDECK_TOKEN=token).split()[:4] == ["user", "fred", "account", "sales"]
    assert shell("account", "disable", "sales", "--yes") == "disabled sales\n"
    assert "not valid" in shell("whoami", JOBDECK_TOKEN=token, code=4)
    assert shell("account", "enable", "sales") == "enabled sales\n"
    assert "sales" in shell("account", "list")


def test_tokens_are_for_somebody_and_until_some_time(shell: Shell) -> None:
    shell("user", "create", "gina", "--no-password")
    made = shell.json("token", "create", "ci", "--scope", "read", "--user", "gina", "--expires", "30d")
    assert made["token"].startswith("jd_")
    assert (made["info"]["handle"], made["info"]["expiresAt"] is None) == ("gina", False)
    assert "gina" in shell("token", "list")
    assert made["token"] not in shell("token", "list")
    assert "expires" in shell("token", "create", "ci", "--scope", "read", "--expires", "soon", code=2)
    assert "'gina' does not have it" in shell("token", "create", "ci", "--scope", "code", "--user", "gina", code=4)
    shell("token", "revoke", made["info"]["id"], "--yes")
    assert "not valid" in shell("whoami", JOBDECK_TOKEN=made["token"], code=4)


def test_logging_in_keeps_a_token_that_logging_out_ends(shell: Shell, elsewhere: dict[str, str]) -> None:
    shell("user", "create", "hans", "--code", given=f"{PASSWORD}\n")
    place = Path(elsewhere["HOME"]) / ".config" / "jobdeck" / "token"
    assert "has to know who is calling: `jobdeck login" in shell("whoami", code=4, **elsewhere)
    assert "is needed" in shell("login", code=2, given=f"{PASSWORD}\n", **elsewhere)
    assert "not right" in shell("login", "--user", "hans", code=4, given="wrong\n", **elsewhere)
    assert not place.exists()
    assert shell("login", "--user", "hans", given=f"{PASSWORD}\n", **elsewhere) == ""
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    lost = {**elsewhere, "JOBDECK_TOKEN_FILE": "/dev/null/token"}
    assert "cannot be kept" in shell("login", "--user", "hans", code=2, given=f"{PASSWORD}\n", **lost)
    assert [each["revokedAt"] is None for each in _json(shell("token", "list", "--json", **elsewhere))] == [True, False]
    assert sorted(each.name for each in place.parent.iterdir()) == ["token"]
    me = _json(shell("whoami", "--json", **elsewhere))
    assert (me["handle"], me["via"], me["scopes"]) == ("hans", "token", ["delete", "edit", "read", "run"])
    assert _json(shell("job", "list", "--json", **elsewhere)) == []
    kept = place.read_text().strip()
    assert shell("logout", **elsewhere) == ""
    assert not place.exists()
    assert "not valid" in shell("whoami", code=4, JOBDECK_TOKEN=kept, **elsewhere)
    assert shell("logout", **elsewhere) == ""
    shell("login", "-u", "hans", "-s", "read", "-s", "code", "--expires", "1 hour", given=f"{PASSWORD}\n", **elsewhere)
    assert _json(shell("whoami", "--json", **elsewhere))["scopes"] == ["code", "read"]


def test_passwords_stay_off_bare_lines_and_the_socket_needs_none(shell: Shell) -> None:
    assert "--insecure" in shell("login", "http://jobs.example.org", "--user", "hans", code=2, given="x\n")
    assert "needs no login" in shell("login", "--user", "hans", code=2, given="x\n")


def test_the_shell_completes_them(shell: Shell) -> None:
    assert shell("__complete", "user", "dis") == "disable\n"
    assert "--expires" in shell("__complete", "token", "create", "--").split()
    assert "--insecure" in shell("__complete", "login", "--").split()


def _json(text: str) -> Any:
    return json.loads(text)


def test_what_an_account_may_have(shell: Shell) -> None:
    shell("account", "create", "limited")
    shown = shell("account", "limit", "limited", "--active-jobs", "50", "--min-interval", "5 min")
    assert "0 of 50" in shown
    assert "5 minutes" in shown
    shell("account", "limit", "limited", "--active-jobs", "default", "--tokens", "3")
    found = shell.json("account", "show", "limited")
    assert (found["own"]["activeJobs"], found["own"]["tokens"], found["own"]["minInterval"]) == (None, 3, "5 minutes")
    assert "--tokens" in shell("account", "limit", "limited", "--tokens", "-1", code=2)
    assert "default" in shell("account", "show")
