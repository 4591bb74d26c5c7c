"""Who gets at what through a job: a row for each way of naming somebody's private thing in what one defines oneself.

A cell is `yes` (it is made), `none` (refused in the words in which a name that nothing has is refused), or the level at
which it would have to be shared. Columns are as in permission_table.py; `nobody` is left out. To add a way of naming
something: put its row here, and what is sent into WAYS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract.api.people import definition
from tests.contract.api.scene import ROLES, Scene

_TABLE = """
thing          way                   other stranger reader runner editor manager owner admin

secret         header                none  none     runner yes    yes    yes     yes   yes
secret         program               none  none     runner yes    yes    yes     yes   yes
secret         webhook_step          none  none     runner yes    yes    yes     yes   yes
secret         mail_step             none  none     runner yes    yes    yes     yes   yes

connection     export_table          none  none     runner yes    yes    yes     yes   yes
connection     query                 none  none     runner yes    yes    yes     yes   yes
connection     sync_from             none  none     runner yes    yes    yes     yes   yes
connection     attributes_from       none  none     runner yes    yes    yes     yes   yes
connection     import_into_table     none  none     editor editor yes    yes     yes   yes

knowledge_base export_base           none  none     runner yes    yes    yes     yes   yes
knowledge_base documents_into        none  none     runner yes    yes    yes     yes   yes
knowledge_base import_into_base      none  none     runner yes    yes    yes     yes   yes
knowledge_base rebuild_index         none  none     runner yes    yes    yes     yes   yes
knowledge_base rebuild_content       none  none     runner yes    yes    yes     yes   yes
knowledge_base empty_it              none  none     editor editor yes    yes     yes   yes
knowledge_base empty_some            none  none     editor editor yes    yes     yes   yes
knowledge_base remove_by_import      none  none     editor editor yes    yes     yes   yes
knowledge_base remove_by_documents   none  none     editor editor yes    yes     yes   yes
knowledge_base replace_attributes    none  none     editor editor yes    yes     yes   yes

dataset        export_dataset        none  none     runner yes    yes    yes     yes   yes
dataset        refresh               none  none     runner yes    yes    yes     yes   yes
dataset        attach                none  none     runner yes    yes    yes     yes   yes
dataset        snapshot_around       none  none     runner yes    yes    yes     yes   yes
dataset        query_step            none  none     runner yes    yes    yes     yes   yes
dataset        import_from           none  none     runner yes    yes    yes     yes   yes
dataset        refresh_otherwise     none  none     editor editor yes    yes     yes   yes
dataset        refresh_step_otherwise none none     editor editor yes    yes     yes   yes
dataset        import_into           none  none     editor editor yes    yes     yes   yes
dataset        clean_up              none  none     editor editor yes    yes     yes   yes
dataset        alias_of_target       none  none     editor editor yes    yes     yes   yes
"""
ASKING = ROLES[1:]


@dataclass(frozen=True, slots=True)
class Attempt:
    thing: str
    way: str
    cells: dict[str, str]


def _job(name: str, type_: str, **fields: Any) -> dict[str, Any]:
    return definition(name, type=type_, **{"data": {}, **fields})


def _step(name: str, type_: str, data: dict[str, Any]) -> dict[str, Any]:
    return definition(name, actions=[{"id": "a", "type": type_, "data": data}])


def _secret(key: str) -> dict[str, Any]:
    return {"url": "https://example.com/", "headers": {"X-Key": {"secret": key}}}


def _mail(key: str) -> dict[str, Any]:
    server = {"host": "mail.example.com", "user": "u", "secret": key, "from": "u@example.com"}
    return {"to": "ops@example.org", "subject": "s", "text": "t", "server": server}


def _around(key: str) -> dict[str, Any]:
    return {"alias": "own", "datasetId": "own_data", "snapshots": {"when": "after", "snapshotDatasets": [key]}}


def _sync(name: str, key: str) -> dict[str, Any]:
    data = {"source_table": f"{key}.orders", "knowledge_base": "own_base", "content_columns": ["product"]}
    return _job(name, "kb-sync", data={**data, "filter_column": "at"})


_STREAM = {"source_table": "own_source.orders", "content_columns": ["product"], "filter_column": "at"}


def _reset(name: str, key: str, **fields: Any) -> dict[str, Any]:
    one_table = {} if "streams" in fields else _STREAM
    return _job(name, "kb-reset", data={"knowledge_base": key, **one_table, **fields})


def _attributes(name: str, key: str) -> dict[str, Any]:
    columns = {"knowledge_base": "own_base", "origin": f"{key}.orders", "columns": {"product": "product"}}
    return _job(name, "corpus-replace-filter-attrs", data=columns)


def _attached(name: str, key: str) -> dict[str, Any]:
    attached = [{"alias": "d", "datasetId": key}]
    return _job(name, "import", data={"file": "in.csv", "dataset": "d"}, datasets=attached)


JOBS = "/api/jobs"
WAYS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "header": lambda name, key: definition(name, data=_secret(key)),
    "program": lambda name, key: _job(name, "command", data={"command": ["env"], "env": {"KEY": {"secret": key}}}),
    "webhook_step": lambda name, key: _step(name, "webhook", _secret(key)),
    "mail_step": lambda name, key: _step(name, "email", _mail(key)),
    "export_table": lambda name, key: _job(name, "export", data={"table": f"{key}.orders", "format": "csv"}),
    "query": lambda name, key: {"name": name, "connection": key, "query": "select * from orders"},
    "sync_from": _sync,
    "attributes_from": _attributes,
    "import_into_table": lambda name, key: _job(name, "import", data={"file": "in.csv", "table": f"{key}.orders"}),
    "export_base": lambda name, key: _job(name, "export", data={"knowledge_base": key, "format": "csv"}),
    "documents_into": lambda name, key: _job(
        name, "document_processing", data={"files": ["in/*.txt"], "knowledge_base": key}
    ),
    "import_into_base": lambda name, key: _job(
        name,
        "import",
        data={"file": "in.csv", "knowledge_base": key, "content_columns": ["product"], "key_columns": ["id"]},
    ),
    "rebuild_content": _reset,
    "empty_it": lambda name, key: _reset(name, key, mode="clear"),
    "empty_some": lambda name, key: _reset(name, key, mode="clear", streams=[_STREAM]),
    "remove_by_import": lambda name, key: _job(
        name,
        "import",
        data={
            "file": "in.csv",
            "knowledge_base": key,
            "content_columns": ["product"],
            "key_columns": ["id"],
            "remove_missing": True,
        },
    ),
    "remove_by_documents": lambda name, key: _job(
        name, "document_processing", data={"files": ["in/*.txt"], "knowledge_base": key, "remove_missing": True}
    ),
    "rebuild_index": lambda name, key: _job(name, "corpus-rebuild-vector-index", data={"knowledge_base": key}),
    "replace_attributes": lambda name, key: _job(
        name, "corpus-replace-filter-attrs", data={"knowledge_base": key, "drop": ["at"]}
    ),
    "export_dataset": lambda name, key: _job(name, "export", data={"dataset": key, "format": "csv"}),
    "refresh": lambda name, key: _job(name, "dataset-refresh", data={"dataset": key}),
    "attach": lambda name, key: definition(name, datasets=[{"alias": "d", "datasetId": key}]),
    "snapshot_around": lambda name, key: definition(name, datasets=[_around(key)]),
    "query_step": lambda name, key: _step(name, "dataset", {"operation": "query", "dataset": key}),
    "import_from": lambda name, key: _job(name, "import", data={"from_dataset": key, "dataset": "own_data"}),
    "refresh_otherwise": lambda name, key: _job(
        name, "dataset-refresh", data={"dataset": key, "parameters": {"least": 0}}
    ),
    "refresh_step_otherwise": lambda name, key: _step(
        name, "dataset", {"operation": "refresh", "dataset": key, "parameters": {"least": 0}}
    ),
    "import_into": lambda name, key: _job(name, "import", data={"file": "in.csv", "dataset": key}),
    "clean_up": lambda name, key: _job(name, "snapshot-cleanup", data={"datasets": [key], "keep_count": 1}),
    "alias_of_target": _attached,
}
PLACES = {"query": "/api/datasets"}
"""Where it is sent, if not to JOBS."""


def keys_of(scene: Scene, thing: str) -> tuple[str, ...]:
    """All that it goes by."""
    places = {"connection": "connections.key", "knowledge_base": "knowledge-bases.key", "dataset": "datasets.key"}
    if thing == "secret":
        return (scene.values["secrets.name"],)
    return scene.values[f"{thing}_name"], scene.values[places[thing]]


def _read(line: str) -> Attempt:
    thing, way, *cells = line.split()
    return Attempt(thing, way, dict(zip(ASKING, cells, strict=True)))


ATTEMPTS = [_read(line) for line in _TABLE.splitlines()[2:] if line]
