"""Durations of requests: what is read of them is what was counted, and no more lines than there may be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.api import durations
from agent.api.durations import BUCKETS, NAME, Durations

Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]

requests = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/api/jobs", '/odd "quoted"\\path', "none"]),
    st.sampled_from([200, 404]),
    st.one_of(st.sampled_from(BUCKETS), st.floats(0, 20)),
)


def told(page: str) -> Told:
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): round(sample.value, 6)
        for sample in samples
        if not sample.name.endswith("_created")
    }


@given(st.lists(st.lists(requests, max_size=8), max_size=4))
def test_it_tells_what_the_client_library_tells(between_pages: list[list[tuple[str, str, int, float]]]) -> None:
    """Also when it is asked again and again, and writes anew only what has changed."""
    registry = CollectorRegistry()
    peer = Histogram(NAME, "help", ("method", "route", "status"), buckets=BUCKETS, registry=registry)
    ours = Durations()
    for counted in between_pages:
        for method, route, status, seconds in counted:
            ours.observe(method, route, status, seconds)
            peer.labels(method, route, str(status)).observe(seconds)
        assert told(ours.page()) == told(generate_latest(registry).decode())


def test_there_are_no_more_lines_than_may_be() -> None:
    ours = Durations()
    for number in range(durations.MOST + 50):
        ours.observe("GET", f"/api/{number}", 200, 0.1)
    counts = {dict(labels)["route"]: value for (name, labels), value in told(ours.page()).items() if "_count" in name}
    assert (len(counts), counts["other"], counts["/api/0"]) == (durations.MOST + 1, 50, 1)


def test_what_nothing_was_counted_of_is_not_written_again() -> None:
    ours = Durations()
    ours.observe("GET", "/a", 200, 0.1)
    ours.observe("GET", "/b", 200, 0.1)
    ours.page()
    written = [series._text for series in ours._series.values()]
    ours.observe("GET", "/b", 200, 0.1)
    ours.page()
    again = [series._text for series in ours._series.values()]
    assert (again[0] is written[0], again[1] is written[1]) == (True, False)
