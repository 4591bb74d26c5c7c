"""What is sent to each route of the permission table, what stands for its parameters, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from tests.contract.api.people import PASSWORD, definition
from tests.contract.api.scene import Scene

Operation = tuple[str, str]
CONNECTORS = "/v1/organizations/{organization_id}/knowledge/connectors"

_numbers = count(1)


def _name() -> str:
    return f"own-{next(_numbers)}"


def _share(_: Scene) -> dict[str, Any]:
    return {"principalId": "login", "accessLevel": "reader"}


def _level(_: Scene) -> dict[str, Any]:
    return {"accessLevel": "reader"}


def _private(_: Scene) -> dict[str, Any]:
    return {"visibility": "private"}


def _given(_: Scene) -> dict[str, Any]:
    return {"ownerId": "login"}


def _given_to_a_runner(scene: Scene) -> dict[str, Any]:
    return {"ownerId": scene.people["runner"].id}


def _dataset(scene: Scene) -> dict[str, Any]:
    return {"alias": f"d{next(_numbers)}", "datasetId": scene.values["datasets.key"]}


def _mail(**fields: Any) -> dict[str, Any]:
    return {"type": "email", "data": {"to": ["ops@example.org"], "subject": "s", "text": "t"}, **fields}


def _kb_sync(scene: Scene) -> dict[str, Any]:
    return {
        "job_name": _name(), "source_table": f"{scene.values['connection_name']}.orders",
        "kb_name": scene.values["knowledge_base_name"], "content_columns": ["product"], "filter_column": "at",
        "interval": "1 HOUR", "start_time": "2026-03-02T13:00:00Z", "end_time": "2026-03-09T13:00:00Z",
    }  # fmt: skip


def _connector(scene: Scene) -> dict[str, Any]:
    stream = {"table": "orders", "content_columns": ["product"], "filter_column": "at"}
    return {"name": _name(), "source_id": scene.values["connections.key"], "configurations": {"streams": [stream]}}


def _source(scene: Scene, name: str) -> dict[str, Any]:
    return {"name": name, "source_definition_id": "sqlite", "configuration": {"url": scene.source_url}}


_SHARED = ("jobs/{job_id}", "connections/{key}", "knowledge-bases/{key}", "datasets/{key}", "secrets/{name}")
BODIES: dict[Operation, Callable[[Scene], Any]] = {
    ("POST", "/api/jobs"): lambda _: definition(_name()),
    ("POST", "/api/jobs/_check"): lambda _: definition(_name()),
    ("PUT", "/api/jobs/{job_id}"): lambda _: definition(_name()),
    ("POST", "/api/drafts"): lambda _: definition(_name()),
    ("POST", "/api/definitions/_plan"): lambda _: {"definitions": [{"definition": definition(_name())}]},
    ("POST", "/api/definitions/_apply"): lambda _: {"definitions": [{"definition": definition(_name())}]},
    ("POST", "/api/jobs/{job_id}/actions"): lambda _: _mail(),
    ("PUT", "/api/jobs/{job_id}/actions"): lambda scene: [scene.values["action_id"]],
    ("PUT", "/api/jobs/{job_id}/actions/{action_id}"): lambda _: _mail(),
    ("POST", "/api/jobs/{job_id}/actions/{action_id}/attachments"): lambda _: {"type": "log", "name": "other.txt"},
    ("PUT", "/api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}"): lambda _: {
        "type": "file", "name": "other.txt"
    },
    (
        "PUT",
        "/api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}/action-attachment-file-contents",
    ): lambda _: b"a file",
    ("POST", "/api/jobs/{job_id}/datasets"): _dataset,
    ("PUT", "/api/jobs/{job_id}/datasets/{alias}"): _dataset,
    ("POST", "/api/datasets"): lambda _: {"name": _name()},
    ("PUT", "/api/datasets/{key}"): lambda _: {"name": _name()},
    ("POST", "/api/runs/_bulk"): lambda scene: {"act": "cancel", "runs": [{"id": scene.values["waiting"]}]},
    ("POST", "/api/catch-up/_release"): lambda scene: {"jobs": [scene.values["job_id"]]},
    ("POST", "/api/catch-up/_discard"): lambda scene: {"jobs": [scene.values["job_id"]]},
    ("POST", "/api/connections"): lambda scene: {"name": _name(), "url": scene.source_url},
    ("POST", "/api/knowledge-bases"): lambda _: {"name": _name()},
    ("POST", "/api/knowledge-bases/{key}/_search"): lambda _: {"query": "x"},
    ("PUT", "/api/secrets/{name}"): lambda _: {"value": "x"},
    ("POST", "/api/auth/login"): lambda scene: {"username": scene.values["login"], "password": PASSWORD},
    ("PUT", "/api/auth/password"): lambda _: {"current": "wrong", "password": PASSWORD},
    ("POST", "/api/tokens"): lambda _: {"name": "another", "scopes": ["read"]},
    ("POST", "/api/users"): lambda _: {"handle": _name()},
    ("PUT", "/api/users/{key}/membership"): lambda _: {"role": "member"},
    ("PUT", "/api/users/{key}/password"): lambda _: {"password": PASSWORD},
    ("PUT", "/api/accounts/{account_id}/limits"): lambda _: {"activeJobs": 10_000_000},
    ("PUT", "/api/users/{key}/link"): lambda _: {"issuer": "https://login.test/"},
    ("POST", "/api/accounts"): lambda _: {"id": _name()},
    ("POST", "/jobs/create"): _kb_sync,
    ("POST", "/v1/list-jobs"): lambda _: {},
    ("POST", f"{CONNECTORS}/jobs"): lambda scene: {"connection_id": scene.values["connection_id"], "job_type": "sync"},
    ("POST", f"{CONNECTORS}/connections"): _connector,
    ("PATCH", f"{CONNECTORS}/connections/{{connection_id}}"): lambda _: {"status": "inactive"},
    ("POST", f"{CONNECTORS}/sources"): lambda scene: _source(scene, _name()),
    ("PUT", f"{CONNECTORS}/sources/{{source_id}}"): lambda scene: _source(scene, scene.values["connection_name"]),
    ("PATCH", f"{CONNECTORS}/sources/{{source_id}}"): lambda scene: {"configuration": {"url": scene.source_url}},
    **{("POST", f"/api/{place}/shares"): _share for place in _SHARED},
    **{("PUT", f"/api/{place}/shares/{{principal_id}}"): _level for place in _SHARED},
    **{("PUT", f"/api/{place}/visibility"): _private for place in _SHARED[1:]},
    ("PUT", "/api/jobs/{job_id}/owner"): _given_to_a_runner,
    **{("PUT", f"/api/{place}/owner"): _given for place in _SHARED[1:]},
}  # fmt: skip

QUERIES: dict[Operation, str] = {
    ("GET", "/api/job-fire-times"): "intervalType=none",
    ("GET", "/api/runs/{run_id}/log/search"): "text=x",
}

PLACES: dict[Operation, dict[str, str]] = {
    **{
        (method, f"{CONNECTORS}/jobs/{{job_id}}{more}"): {"job_id": value}
        for method, more, value in (
            ("GET", "", "sync_run"),
            ("DELETE", "", "sync_waiting"),
            ("POST", "/retry", "sync_run"),
            ("GET", "/logs", "sync_run"),
        )
    },
    **{
        (method, f"{CONNECTORS}/sources/{{source_id}}"): {"source_id": "connections.key"}
        for method in ("GET", "PUT", "PATCH", "DELETE")
    },
    ("PUT", "/api/secrets/{name}"): {
        "name": "new_secret"
    },  # `other` would have one of the name, and read its own record
    ("POST", "/api/runs/{run_id}/_cancel"): {"run_id": "waiting"},
    ("POST", "/api/runs/{run_id}/_uncancel"): {"run_id": "leaving"},
}
"""Which of the scene's values stands for a parameter, where it is not the one of that name."""

DRAFTED = {
    ("GET", "/api/jobs/{job_id}/draft"),
    ("DELETE", "/api/jobs/{job_id}/draft"),
    ("GET", "/api/jobs/{job_id}/draft/diff"),
    ("POST", "/api/jobs/{job_id}/_check"),
    ("POST", "/api/jobs/{job_id}/_rebase"),
    ("POST", "/api/jobs/{job_id}/_commit"),
}
"""Whoever asks has tried to make a draft of the job before."""

NO_ACTS: set[Operation] = {
    ("POST", "/api/jobs/_check"),
    ("POST", "/api/jobs/{job_id}/_check"),
    ("POST", "/api/definitions/_plan"),
    ("POST", "/api/jobs/{job_id}/actions/{action_id}/_preview"),
    ("POST", "/api/connections/{key}/_test"),
    ("POST", "/api/knowledge-bases/{key}/_search"),
    ("POST", "/v1/list-jobs"),
    ("POST", "/api/jobs/{job_id}/_resume"),  # of a job that is not paused: nothing is changed
    ("PUT", "/api/jobs/{job_id}/actions"),  # into the order that they have
    ("DELETE", "/api/datasets/{key}/snapshots/{snapshot_id}"),  # there is none
    ("PUT", "/api/auth/password"),  # the present one is wrong
    ("POST", "/api/auth/logout"),  # by a token, which stays as it is
}
"""What changes nothing, as it is asked here, leaves nothing in the record."""


def kinds_of(path: str) -> tuple[str, ...]:
    """What is made anew after an act on that path."""
    if path.startswith(CONNECTORS):
        return ("connection", "dataset", "job", "sync") if "/sources/" in path else ("sync",)
    place = path.split("/")[2] if path.startswith("/api/") else ""
    return _KINDS.get(place, ("job",))


_KINDS = {
    "connections": ("connection", "dataset", "job", "sync"),
    "knowledge-bases": ("knowledge_base", "sync"),
    "datasets": ("dataset", "job"),
    "secrets": ("secret",),
    "users": ("user",),
    "tokens": ("token",),
    "accounts": ("account",),
    "auth": (),
}
