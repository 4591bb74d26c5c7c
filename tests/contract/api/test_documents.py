"""What the documents list (fields, values, defaults, codes, limits) is what the agent has, word by word."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from agent.api.contracts import background_jobs, job_listing, job_listing_fields, job_listing_words, kb_sync
from agent.api.contracts.connector_jobs import jobs as connector_jobs
from agent.api.contracts.connector_jobs import words
from agent.api.contracts.kb_sync_fields import read_fields
from agent.core.scheduling.limits import JobLimits
from agent.settings import Settings
from shared.errors import Fault
from tests.contract.api.test_kb_sync import PRINTED
from tests.harness import printed
from tests.harness.agent import RunningAgent

NOT_BUILT = {"library-sync", "index-files", "library", "web_crawling", "batch_embedding"}
"""Types that the documents name and no driver has yet."""


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    lines = printed.between(text, heading, "\n#" if "\n#" in text.partition(heading)[2] else "\0").splitlines()
    table = [
        [cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return table[2:]


def names_between(text: str, start: str, end: str) -> set[str]:
    return {line.split()[0] for line in printed.between(text, start, end).splitlines()[1:] if line.strip()}


def test_000_has_the_documented_fields_and_needs_them_all() -> None:
    rows = rows_of(printed.document("kb_sync") + "\0", "### Request Body")
    fields = kb_sync.CreateJobRequest.model_fields
    types = {"string": str, "array<string>": list[str]}
    assert [(name, types[type_], needed) for name, type_, needed, _ in rows] == [
        (name, field.annotation, "✅") for name, field in fields.items() if field.is_required()
    ]


def test_000_has_the_documented_codes() -> None:
    documented = {code for code, _ in rows_of(printed.document("kb_sync") + "\0", "## Error Codes")}
    ours = {code for _, code in (*kb_sync._OURS_TO_THEIRS.values(), *kb_sync._THEIR_CODES.values())} | {"DUPLICATE_JOB"}
    assert documented == ours


def test_000_reads_every_interval_that_is_printed() -> None:
    rows = rows_of(printed.document("kb_sync") + "\0", "## Interval Formats")
    examples = [example for *_, cell in rows for example in re.findall(r'"([^"]+)"', cell)]
    assert len(examples) == 9
    for example in examples:
        assert _faults(interval=example) == [], example


def test_000_has_the_documented_limits() -> None:
    text = printed.between(printed.document("kb_sync") + "\0", "## Rate Limits", "\0")
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert re.findall(r"\d+ (?:active jobs|minute|days)", text) == ["100 active jobs", "1 minute", "30 days"]
    found = defaults["max_active_jobs"], defaults["min_interval"], defaults["max_job_duration"]
    assert found == (100, timedelta(minutes=1), timedelta(days=30))


def _faults(**change: Any) -> list[Fault]:
    return read_fields(PRINTED | change, JobLimits(timedelta(minutes=1), timedelta(days=30)))[1]


def test_001_has_the_documented_statuses_and_types() -> None:
    text = printed.document("background_jobs")
    assert names_between(text, "Status Description\n", "\nRerun Job") == set(get_args(background_jobs.Status))
    assert names_between(text, "Type Description\n", "\nPolling") == set(background_jobs._COUNTED)
    answer = json.loads(printed.between(text, '{\n  "data": {\n    "id": "job_abc123"', "\n\nJob Statuses"))
    fields = {field.alias for field in background_jobs.BackgroundJob.model_fields.values()}
    assert set(answer["data"]) == fields
    rerun = json.loads(printed.between(text, '{\n  "data": {\n    "id": "job_new123"', "\n\nJob Types"))
    assert set(rerun["data"]) == {field.alias for field in background_jobs.Rerun.model_fields.values()}


def test_002_has_the_documented_parameters_and_fields() -> None:
    text = printed.document("connector_jobs")
    query = set(re.findall(r"\*\*`(\w+)`\*\*", printed.between(text, "#### Query Parameters", "## Get job")))
    more = {"created_after", "created_before"}  # "and date range", which it does not name
    assert set(connector_jobs.JobsQuery.model_fields) == query | more
    body = set(re.findall(r"\*\*`(\w+)`\*\*", printed.between(text, "#### Request Body", "## Cancel job")))
    assert {name for name, field in connector_jobs.TriggerInput.model_fields.items() if field.is_required()} == body
    returned = re.findall(r"`(\w+)`", printed.between(text, "## Returns", "Request ```bash"))
    assert list(returned) == list(connector_jobs.ConnectorJob.model_fields)
    [example] = printed.fenced(text, "json 4xx Error")
    assert list(json.loads(example)["error"]) == list(words.ConnectorError.model_fields)
    assert {"running", "succeeded", "failed"} <= set(get_args(words.Status))
    assert set(get_args(connector_jobs.JobType)) == {"sync", "reset"}


def test_003_has_the_documented_values() -> None:
    text = printed.document("job_listing")
    states = set(re.findall(r"\bJOB_STATE__\w+", text))
    assert set(job_listing_fields._STATES) == states
    for state in states:
        now = datetime(2026, 3, 2, tzinfo=UTC)
        for name in (state, state.removeprefix("JOB_STATE__")):
            assert job_listing_fields.read_body_fields({"state": [name]}, now).states is not None
    types = set(re.findall(r"\bJOB__\w+", text))
    assert {names[0] for names in (*job_listing_words.TYPES.values(), job_listing_words.UNKNOWN_TYPE)} == types
    codes = set(
        re.findall(r"^[, ]*([A-Z][A-Z_]+)$", printed.between(text, "status object[]", "Default value: OK"), re.M)
    )
    ours = {status for _, status in job_listing._FAULTS.values()} | {
        "INTERNAL",
        "EXPIRED_API_KEY",
        "INVALID_CUSTOMER_ID",
    }
    assert ours <= codes
    assert "Default value: 30S" in text
    assert job_listing_fields.read_timeout(None) == 30
    assert "Max allowed value is 100." in text
    assert job_listing_words.LARGEST_PAGE == 100
    assert timedelta(days=int(re.findall(r"Default is (\d+) days", text)[0])) == job_listing_fields.LONGEST_AGO


def test_004_has_the_documented_routes_and_parameters(standing: RunningAgent) -> None:
    text = printed.document("jobs")
    paths = standing.agent.api.openapi()["paths"]
    named = set(re.findall(r"(GET|POST|PUT|DELETE) (/api/[^\s?,]+)", text))
    assert len(named) == 5
    there = {(method.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, ways in paths.items() for method in ways}
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in named} <= there
    parameters = {each["name"]: each["schema"] for each in paths["/api/jobs"]["get"]["parameters"]}
    table = re.findall(r"^(q|sort|limit|start)(string|integer)(-|name|30|0)[A-Z]", text, re.M)
    assert [name for name, *_ in table] == ["q", "sort", "limit", "start"]
    for name, type_, default in table:
        schema = parameters[name]
        assert (schema["type"], str(schema.get("default")) or "-") == (type_, default), name
    asked = {each["name"] for each in paths["/api/job-fire-times"]["get"]["parameters"]}
    words_of_schedule = set(
        re.findall(r"^  • (\w+) - ", printed.between(text, "Scheduling\n\nJobs use", "Fire Times"), re.M)
    )
    assert words_of_schedule - {"enabled"} == {"interval", "intervalType", "startOn", "endOn", "timezone"} <= asked


def test_every_documented_type_has_a_driver(standing: RunningAgent) -> None:
    text = printed.document("jobs")
    jobs = printed.between(text, "TypeDescription\n", "\nAuthentication").splitlines()[1:]
    actions = printed.between(text, "DriverDescription\n", "\nDataset Associations").splitlines()[1:]
    lines = [line for line in (*jobs, *actions) if line]
    documented = {match[0] for line in lines if (match := re.match(r"[a-z-]+(?=[A-Z])", line))}
    documented |= set(background_jobs._COUNTED) | {kb_sync.JOB_TYPE, "kb-reset", *job_listing_words.TYPES}
    assert len(documented) > 15
    assert documented - {manifest.type for manifest in standing.agent.core.drivers.list()} == NOT_BUILT


@pytest.mark.parametrize("page", ["kb-sync", "background-jobs", "connector-jobs", "job-listing", "jobs"])
def test_each_contract_has_its_page(page: str) -> None:
    """That tells where its client is pointed at."""
    text = (Path(__file__).parents[3] / "docs" / "api" / f"{page}.md").read_text()
    assert "http://127.0.0.1:8000" in text or "http://HOST:PORT" in text
