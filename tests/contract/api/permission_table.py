"""Who gets in where: a row for every route, a column for everybody who may ask.

HOW TO ADD A ROUTE. Put its row into the section of its module (a new module gets a section): method, path as the
application has it, the scope that its token needs (`-`: none), and what each of these gets:

    nobody    sends no credentials                     runner    has the job shared as runner
    other     administers another account              editor    … as editor
    stranger  is a user of the account with whom       manager   … as manager
              nothing is shared                        owner     owns it
    reader    has it shared as reader                  admin     administers the account

All but `nobody` have tokens with every scope, but `admin`, which only `admin` and `other` have. A cell is `yes`, or the
status of the refusal. Rows of things that are not shared (users, tokens …) say it all the same.

What is sent with a request stands in BODIES, what its query says in QUERIES; what stands for `{job_id}` and its like is
made by scene.py, and made anew after each act that succeeds (`kinds_of`). Of a route that acts (not GET) `owner` and
`admin`, where they may, must succeed: then the record must have it too; NO_ACTS names those that change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.contract.api.people import PASSWORD, definition
from tests.contract.api.scene import ROLES, Scene

_TABLE = """
method path                                                       scope    nobody other stranger reader runner editor manager owner admin

-- agent/api/native/listing.py
GET    /api/jobs                                                  read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/jobs-list                                             read     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/native/templates.py
GET    /api/job-templates                                         read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/job-templates/{job_type}                              read     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/native/history.py
GET    /api/jobs/{job_id}/history                                 read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/jobs/{job_id}/history/{history_id}                    read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/jobs/{job_id}/history/{history_id}                    delete   401    404   404      403    403    403    yes     yes   yes

-- agent/api/native/jobs.py
POST   /api/jobs                                                  edit     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/jobs/_check                                           edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/job-fire-times                                        read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/jobs/{job_id}                                         read     401    404   404      yes    yes    yes    yes     yes   yes
PUT    /api/jobs/{job_id}                                         edit     401    404   404      403    403    yes    yes     yes   yes
DELETE /api/jobs/{job_id}                                         delete   401    404   404      403    403    403    yes     yes   yes
POST   /api/jobs/{job_id}                                         run      401    404   404      403    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_pause                                  edit     401    404   404      403    403    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_resume                                 edit     401    404   404      403    403    yes    yes     yes   yes
PUT    /api/jobs/{job_id}/owner                                   edit     401    404   404      403    403    403    403     yes   yes
GET    /api/jobs/{job_id}/explain                                 read     401    404   404      yes    yes    yes    yes     yes   yes

-- agent/api/native/drafts.py  (a draft is its maker's alone: the others have none)
GET    /api/drafts                                                read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/drafts                                                edit     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_edit                                   edit     401    404   404      403    403    yes    yes     yes   yes
GET    /api/jobs/{job_id}/draft                                   read     401    404   404      404    404    yes    yes     yes   yes
DELETE /api/jobs/{job_id}/draft                                   edit     401    404   404      404    404    yes    yes     yes   yes
GET    /api/jobs/{job_id}/draft/diff                              read     401    404   404      404    404    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_check                                  edit     401    404   404      404    404    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_rebase                                 edit     401    404   404      404    404    yes    yes     yes   yes
POST   /api/jobs/{job_id}/_commit                                 edit     401    404   404      404    404    yes    yes     yes   yes

-- agent/api/native/revisions.py
GET    /api/jobs/{job_id}/revisions                               read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/jobs/{job_id}/revisions/{revision}                    read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/jobs/{job_id}/revisions/{revision}/diff/{other}       read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/revisions/{revision}/_restore           edit     401    404   404      403    403    yes    yes     yes   yes

-- agent/api/native/definitions.py
GET    /api/definitions                                           admin    401    yes   403      403    403    403    403     403   yes
POST   /api/definitions/_plan                                     edit     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/definitions/_apply                                    edit     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/native/actions.py
GET    /api/jobs/{job_id}/actions                                 read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/actions                                 edit     401    404   404      403    403    yes    yes     yes   yes
PUT    /api/jobs/{job_id}/actions                                 edit     401    404   404      403    403    yes    yes     yes   yes
GET    /api/jobs/{job_id}/actions/{action_id}                     read     401    404   404      yes    yes    yes    yes     yes   yes
PUT    /api/jobs/{job_id}/actions/{action_id}                     edit     401    404   404      403    403    yes    yes     yes   yes
DELETE /api/jobs/{job_id}/actions/{action_id}                     edit     401    404   404      403    403    yes    yes     yes   yes
POST   /api/jobs/{job_id}/actions/{action_id}/_preview            read     401    404   404      yes    yes    yes    yes     yes   yes

-- agent/api/native/attachments.py
GET    /api/jobs/{job_id}/actions/{action_id}/attachments         read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/actions/{action_id}/attachments         edit     401    404   404      403    403    yes    yes     yes   yes
GET    /api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}  read  401  404  404   yes    yes    yes    yes     yes   yes
PUT    /api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}  edit  401  404  404   403    403    yes    yes     yes   yes
DELETE /api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}  edit  401  404  404   403    403    yes    yes     yes   yes
GET    /api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}/action-attachment-file-contents  read  401  404  404  yes  yes  yes  yes  yes  yes
PUT    /api/jobs/{job_id}/actions/{action_id}/attachments/{attachment_id}/action-attachment-file-contents  edit  401  404  404  403  403  yes  yes  yes  yes


-- agent/api/native/datasets.py
GET    /api/datasets                                              read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/datasets                                              edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/datasets/{key}                                        read     401    404   404      yes    yes    yes    yes     yes   yes
PUT    /api/datasets/{key}                                        edit     401    404   404      403    403    yes    yes     yes   yes
DELETE /api/datasets/{key}                                        delete   401    404   404      403    403    403    yes     yes   yes
POST   /api/datasets/{key}/_refresh                               run      401    404   404      403    yes    yes    yes     yes   yes
GET    /api/datasets/{key}/snapshots                              read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/datasets/{key}/snapshots/{snapshot_id}                delete   401    404   404      403    403    403    none    none  none
GET    /api/datasets/{key}/rows                                   read     401    404   404      none   none   none   none    none  none

-- agent/api/native/job_datasets.py
GET    /api/jobs/{job_id}/datasets                                read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/datasets                                edit     401    404   404      403    403    yes    yes     yes   yes
GET    /api/jobs/{job_id}/datasets/{alias}                        read     401    404   404      yes    yes    yes    yes     yes   yes
PUT    /api/jobs/{job_id}/datasets/{alias}                        edit     401    404   404      403    403    yes    yes     yes   yes
DELETE /api/jobs/{job_id}/datasets/{alias}                        edit     401    404   404      403    403    yes    yes     yes   yes

-- agent/api/native/runs.py  (each of a bulk is refused by itself)
GET    /api/runs                                                  read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/runs/counts                                           read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/runs/_bulk                                            run      401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}                                         read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}/steps                                   read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}/attempts                                read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}/log                                     read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}/log/follow                              read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/runs/{run_id}/log/search                              read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/runs/{run_id}/_cancel                                 run      401    404   404      403    yes    yes    yes     yes   yes
POST   /api/runs/{run_id}/_uncancel                               run      401    404   404      403    yes    yes    yes     yes   yes
POST   /api/runs/{run_id}/_rerun                                  run      401    404   404      403    yes    yes    yes     yes   yes

-- agent/api/native/fires.py, catch_up.py  (released and discarded is what the caller may run)
GET    /api/fires                                                 read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/catch-up                                              read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/catch-up/_release                                     run      401    404   404      403    yes    yes    yes     yes   yes
POST   /api/catch-up/_discard                                     run      401    404   404      403    yes    yes    yes     yes   yes

-- agent/api/native/sentinels.py
GET    /api/sentinels                                             read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/sentinels/{sentinel_id}                               read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/sentinels/{sentinel_id}/_acknowledge                  run      401    404   404      403    yes    yes    yes     yes   yes

-- agent/api/native/world.py  (connections are an administrator's to make)
GET    /api/connections                                           read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/connections                                           admin    401    yes   403      403    403    403    403     403   yes
GET    /api/connections/{key}                                     read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/connections/{key}                                     admin    401    404   403      403    403    403    403     403   yes
POST   /api/connections/{key}/_test                               read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/connections/{key}/tables                              read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/knowledge-bases                                       read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/knowledge-bases                                       edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/knowledge-bases/{key}                                 read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/knowledge-bases/{key}                                 delete   401    404   404      403    403    403    yes     yes   yes
POST   /api/knowledge-bases/{key}/_search                         read     401    404   404      yes    yes    yes    yes     yes   yes

-- agent/api/native/secrets.py  (set and removed by administrators, as connections are)
GET    /api/secrets                                               edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/secrets/{name}                                        edit     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/secrets/_rotate_key                                   admin    401    403   403      403    403    403    403     403   403
PUT    /api/secrets/{name}                                        admin    401    yes   403      403    403    403    403     403   yes
DELETE /api/secrets/{name}                                        admin    401    404   403      403    403    403    403     403   yes

-- agent/api/native/shares.py
GET    /api/jobs/{job_id}/shares                                  read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/jobs/{job_id}/shares                                  edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/jobs/{job_id}/shares/{principal_id}                   edit     401    404   404      403    403    403    yes     yes   yes
DELETE /api/jobs/{job_id}/shares/{principal_id}                   edit     401    404   404      403    403    403    yes     yes   yes
GET    /api/connections/{key}/shares                              read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/connections/{key}/shares                              edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/connections/{key}/shares/{principal_id}               edit     401    404   404      403    403    403    yes     yes   yes
DELETE /api/connections/{key}/shares/{principal_id}               edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/connections/{key}/visibility                          edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/connections/{key}/owner                               admin    401    404   403      403    403    403    403     403   yes
GET    /api/knowledge-bases/{key}/shares                          read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/knowledge-bases/{key}/shares                          edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/knowledge-bases/{key}/shares/{principal_id}           edit     401    404   404      403    403    403    yes     yes   yes
DELETE /api/knowledge-bases/{key}/shares/{principal_id}           edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/knowledge-bases/{key}/visibility                      edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/knowledge-bases/{key}/owner                           admin    401    404   403      403    403    403    403     403   yes
GET    /api/datasets/{key}/shares                                 read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/datasets/{key}/shares                                 edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/datasets/{key}/shares/{principal_id}                  edit     401    404   404      403    403    403    yes     yes   yes
DELETE /api/datasets/{key}/shares/{principal_id}                  edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/datasets/{key}/visibility                             edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/datasets/{key}/owner                                  admin    401    404   403      403    403    403    403     403   yes
GET    /api/secrets/{name}/shares                                 read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /api/secrets/{name}/shares                                 edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/secrets/{name}/shares/{principal_id}                  edit     401    404   404      403    403    403    yes     yes   yes
DELETE /api/secrets/{name}/shares/{principal_id}                  edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/secrets/{name}/visibility                             edit     401    404   404      403    403    403    yes     yes   yes
PUT    /api/secrets/{name}/owner                                  admin    401    404   403      403    403    403    403     403   yes

-- agent/api/native/sessions.py  (who logs in is proven by the password)
POST   /api/auth/login                                            -        yes    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/auth/logout                                           -        401    yes   yes      yes    yes    yes    yes     yes   yes
PUT    /api/auth/password                                         -        401    401   401      401    401    401    401     401   401
GET    /api/auth/me                                               -        401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/me                                                    -        401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/native/tokens.py, users.py, accounts.py  (one's own tokens; users by administrators; accounts by the agent's)
GET    /api/tokens                                                -        401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/tokens                                                -        401    yes   yes      yes    yes    yes    yes     yes   yes
DELETE /api/tokens/{token_id}                                     -        401    404   404      404    404    404    404     404   yes
GET    /api/users                                                 admin    401    yes   403      403    403    403    403     403   yes
POST   /api/users                                                 admin    401    yes   403      403    403    403    403     403   yes
GET    /api/users/{key}                                           admin    401    404   403      403    403    403    403     403   yes
PUT    /api/users/{key}/membership                                admin    401    404   403      403    403    403    403     403   yes
PUT    /api/users/{key}/password                                  admin    401    404   403      403    403    403    403     403   yes
PUT    /api/users/{key}/link                                      admin    401    404   403      403    403    403    403     403   403
DELETE /api/users/{key}/link                                      admin    401    404   403      403    403    403    403     403   yes
POST   /api/users/{key}/_disable                                  admin    401    404   403      403    403    403    403     403   yes
POST   /api/users/{key}/_enable                                   admin    401    404   403      403    403    403    403     403   yes
GET    /api/accounts                                              admin    401    403   403      403    403    403    403     403   403
POST   /api/accounts                                              admin    401    403   403      403    403    403    403     403   403
GET    /api/accounts/{account_id}                                 admin    401    403   403      403    403    403    403     403   403
GET    /api/accounts/{account_id}/limits                          admin    401    403   403      403    403    403    403     403   403
PUT    /api/accounts/{account_id}/limits                          admin    401    403   403      403    403    403    403     403   403
POST   /api/accounts/{account_id}/_disable                        admin    401    403   403      403    403    403    403     403   403
POST   /api/accounts/{account_id}/_enable                         admin    401    403   403      403    403    403    403     403   403

-- agent/api/native/agent.py, audit.py, events.py
GET    /api/agent                                                 read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/workers                                               read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/job-drivers                                           read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/audit                                                 admin    401    yes   403      403    403    403    403     403   yes
GET    /api/events                                                read     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/probes.py
GET    /healthz                                                   -        yes    yes   yes      yes    yes    yes    yes     yes   yes
GET    /readyz                                                    -        yes    yes   yes      yes    yes    yes    yes     yes   yes
GET    /metrics                                                   read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /openapi.json                                              read     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/contracts/kb_sync.py
POST   /jobs/create                                               edit     401    yes   yes      yes    yes    yes    yes     yes   yes

-- agent/api/contracts/background_jobs.py
GET    /v1/api/jobs/{id}                                          read     401    404   404      yes    yes    yes    yes     yes   yes
POST   /v1/api/jobs/{id}/rerun                                    run      401    404   404      403    yes    yes    yes     yes   yes

-- agent/api/contracts/job_listing.py, job_listing_v2.py
POST   /v1/list-jobs                                              read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /v2/jobs                                                   read     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /v2/jobs/{id}                                              read     401    404   404      yes    yes    yes    yes     yes   yes

-- agent/api/contracts/connector_jobs  (the organization is an account: for `other` it is not there)
GET    /v1/organizations/{organization_id}/knowledge/connectors/jobs                            read     401 404 yes yes yes yes yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/jobs                            run      401 404 404 403 yes yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/jobs/{job_id}                   read     401 404 404 yes yes yes yes yes yes
DELETE /v1/organizations/{organization_id}/knowledge/connectors/jobs/{job_id}                   run      401 404 404 403 yes yes yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/jobs/{job_id}/retry             run      401 404 404 403 yes yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/jobs/{job_id}/logs              read     401 404 404 yes yes yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/connections                     read     401 404 yes yes yes yes yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/connections                     edit     401 404 yes yes yes yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}     read     401 404 404 yes yes yes yes yes yes
PATCH  /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}     edit     401 404 404 403 403 yes yes yes yes
DELETE /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}     delete   401 404 404 403 403 403 yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}/refresh run      401 404 404 403 yes yes yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}/clear run      401 404 404 403 403 yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/connections/{connection_id}/timeline read     401 404 404 yes yes yes yes yes yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/sources                         read     401 404 yes yes yes yes yes yes yes
POST   /v1/organizations/{organization_id}/knowledge/connectors/sources                         admin    401 404 403 403 403 403 403 403 yes
GET    /v1/organizations/{organization_id}/knowledge/connectors/sources/{source_id}             read     401 404 404 yes yes yes yes yes yes
PUT    /v1/organizations/{organization_id}/knowledge/connectors/sources/{source_id}             admin    401 404 403 403 403 403 403 403 yes
PATCH  /v1/organizations/{organization_id}/knowledge/connectors/sources/{source_id}             admin    401 404 403 403 403 403 403 403 yes
DELETE /v1/organizations/{organization_id}/knowledge/connectors/sources/{source_id}             admin    401 404 403 403 403 403 403 403 yes
"""
"""`none`: gets in, and finds nothing there; the answer may name what it looked in."""

Operation = tuple[str, str]
CONNECTORS = "/v1/organizations/{organization_id}/knowledge/connectors"


@dataclass(frozen=True, slots=True)
class Row:
    method: str
    path: str
    scope: str
    cells: dict[str, str]

    @property
    def operation(self) -> Operation:
        return self.method, self.path

    @property
    def acts(self) -> bool:
        return self.method != "GET" and self.operation not in NO_ACTS


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


def _read(line: str) -> Row:
    method, path, scope, *cells = line.split()
    assert len(cells) == len(ROLES), f"{method} {path} has {len(cells)} cells, not {len(ROLES)}"
    return Row(method, path, scope, dict(zip(ROLES, cells, strict=True)))


ROWS = [_read(line) for line in _TABLE.splitlines()[2:] if line and not line.startswith("--")]
