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

What is sent with a request stands in permission_requests.py (BODIES, QUERIES …); what stands for `{job_id}` and its like is
made by scene.py, and made anew after each act that succeeds (`kinds_of`). Of a route that acts (not GET) `owner` and
`admin`, where they may, must succeed: then the record must have it too; NO_ACTS names those that change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.contract.api.permission_requests import NO_ACTS, Operation
from tests.contract.api.scene import ROLES

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
GET    /api/datasets/{key}/jobs                                   read     401    404   404      yes    yes    yes    yes     yes   yes
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
GET    /api/connections/{key}/jobs                                read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/connections/{key}                                     admin    401    404   403      403    403    403    403     403   yes
POST   /api/connections/{key}/_test                               read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/connections/{key}/tables                              read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/knowledge-bases                                       read     401    yes   yes      yes    yes    yes    yes     yes   yes
POST   /api/knowledge-bases                                       edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/knowledge-bases/{key}                                 read     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/knowledge-bases/{key}/jobs                            read     401    404   404      yes    yes    yes    yes     yes   yes
DELETE /api/knowledge-bases/{key}                                 delete   401    404   404      403    403    403    yes     yes   yes
POST   /api/knowledge-bases/{key}/_search                         read     401    404   404      yes    yes    yes    yes     yes   yes

-- agent/api/native/secrets.py  (set and removed by administrators, as connections are)
GET    /api/secrets                                               edit     401    yes   yes      yes    yes    yes    yes     yes   yes
GET    /api/secrets/{name}                                        edit     401    404   404      yes    yes    yes    yes     yes   yes
GET    /api/secrets/{name}/jobs                                   edit     401    404   404      yes    yes    yes    yes     yes   yes
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


def _read(line: str) -> Row:
    method, path, scope, *cells = line.split()
    assert len(cells) == len(ROLES), f"{method} {path} has {len(cells)} cells, not {len(ROLES)}"
    return Row(method, path, scope, dict(zip(ROLES, cells, strict=True)))


ROWS = [_read(line) for line in _TABLE.splitlines()[2:] if line and not line.startswith("--")]
