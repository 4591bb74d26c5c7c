"""What the agent tells Prometheus. Durations are kept; counts are asked of the core when they are asked for."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent.api.durations import Durations
from agent.core.records import StoreSize
from shared.models import SentinelKind, Worker
from shared.states import RunState

_WORKER_STATES = ("starting", "idle", "busy", "stopping", "lost")


class RequestMetrics:
    """Durations of requests by route, and how things stand."""

    def __init__(self) -> None:
        self._durations = Durations()
        self.observe = self._durations.observe

    def page(self, standing: Standing) -> bytes:
        """The text format: what was kept, then how things stand."""
        now = CollectorRegistry()
        now.register(standing)
        return self._durations.page().encode() + generate_latest(now)


@dataclass(frozen=True, slots=True, eq=False)
class Standing(Collector):
    """How things stand now, for one account. Compared as itself: the registry keeps it in a dictionary."""

    runs: Mapping[str, int]
    held: Mapping[str, int]
    sentinels: Mapping[tuple[SentinelKind, bool], int]
    """Open ones by kind, and whether somebody knows."""
    workers: Iterable[Worker]
    size: StoreSize
    takes_writes: bool
    last_event_id: int
    streams: int

    def collect(self) -> Iterable[GaugeMetricFamily]:
        runs = GaugeMetricFamily("jobdeck_runs", "Runs of the caller's account by state.", labels=["state"])
        for state in RunState:
            runs.add_metric([state], self.runs.get(state, 0))
        tally = Tally[str](worker.state for worker in self.workers)
        workers = GaugeMetricFamily("jobdeck_workers", "Worker processes by state.", labels=["state"])
        for name in _WORKER_STATES:
            workers.add_metric([name], tally[name])
        held = GaugeMetricFamily("jobdeck_held_fires", "Missed fires that are still to run.", labels=["reason"])
        for reason, count in self.held.items():
            held.add_metric([reason], count)
        store = GaugeMetricFamily(
            "jobdeck_store_bytes", "Bytes of the store's file, by what is in them.", labels=["part"]
        )
        store.add_metric(["used"], self.size.total - self.size.free)
        store.add_metric(["free"], self.size.free)
        yield from (runs, workers, held, store)
        yield self._sentinels()
        yield GaugeMetricFamily(
            "jobdeck_store_writable",
            "1 while the store takes what is written, 0 while its disk is full.",
            self.takes_writes,
        )
        yield GaugeMetricFamily("jobdeck_last_event_id", "Number of the newest event.", self.last_event_id)
        yield GaugeMetricFamily("jobdeck_event_streams", "Open event streams.", self.streams)

    def _sentinels(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "jobdeck_sentinels_open", "Jobs that behave unlike themselves.", labels=["kind", "acknowledged"]
        )
        for kind in get_args(SentinelKind):
            for known in (False, True):
                family.add_metric([kind, str(known).lower()], self.sentinels.get((kind, known), 0))
        return family
