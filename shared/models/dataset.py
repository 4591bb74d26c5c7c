"""A dataset: what a query finds, kept as snapshots."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from shared.durations import Duration
from shared.models.base import Input, Instant, Policy, Resource
from shared.models.job import Name
from shared.models.share import Visibility

ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ParameterValue = bool | int | float | Annotated[str, StringConstraints(max_length=100_000)] | None


class Keep(Policy):
    """Which snapshots stay: the newest `count`, and of those none older than `age`. The latest stays always."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = 10
    age: Duration | None = None


class DatasetInput(Input):
    """`query` is one SELECT over `connection`; its `:names` are `parameters`. Without both, imports fill it."""

    name: Name
    description: Annotated[str, StringConstraints(max_length=10_000)] = ""
    connection: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000)] | None = None
    parameters: Annotated[dict[ParameterName, ParameterValue], Field(max_length=100)] = {}
    keep: Keep = Keep()

    @model_validator(mode="after")
    def _has_both_or_none(self) -> DatasetInput:
        if (self.connection is None) != (self.query is None):
            missing, given = ("connection", "query") if self.connection is None else ("query", "connection")
            raise ValueError(
                f"'{given}' is given without '{missing}'; give both, or none for a dataset that is imported"
            )
        return self


class NewDataset(DatasetInput):
    visibility: Visibility = "account"


class SnapshotColumn(Resource):
    """`type` is DuckDB's name of what the file holds."""

    name: str
    type: str


class Snapshot(Resource):
    """What a query found at one moment, in a file of its own. `sha256` is the file's, `query_sha256` the query's."""

    id: str
    dataset_id: str
    created_at: Instant
    run_id: str
    rows: int
    bytes: int
    sha256: str
    query_sha256: str
    columns: list[SnapshotColumn]


class Dataset(Resource):
    """A dataset as the API answers it. `snapshot` is the latest, `snapshots` how many there are."""

    id: str
    name: str
    description: str = ""
    account_id: str
    owner_id: str | None = None
    visibility: Visibility = "account"
    connection: str | None = None
    query: str | None = None
    parameters: dict[str, Any] = {}
    keep: Keep = Keep()
    snapshot: Snapshot | None = None
    snapshots: int = 0
    version: int = 1
    created_at: Instant
    updated_at: Instant


class DatasetRows(Resource):
    """A page of a snapshot's rows. Values are as JSON has them: decimals, moments and bytes (base64) as text.
    `total` counts the rows that match."""

    snapshot: str
    columns: list[SnapshotColumn]
    rows: list[list[Any]]
    start: int
    total: int
