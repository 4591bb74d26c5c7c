"""What must be true of a store whatever was asked of it, in whatever order, and by how many agents.

The witness reads the file after every step and compares it with what it read before; it knows nothing of the acts.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from shared.states import FINAL, MOVES, RunState
from tests.property.store.rows import Row, Rows


class Witness:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.told: list[Row] = []
        """Every event so far."""
        self._latest: dict[str, Row] = {}
        """The last event of each run."""
        self._final: dict[str, Row] = {}
        self._high_water: dict[str, int] = {}
        self._recorded: set[int] = set()

    def look(self) -> None:
        runs, jobs = self._rows.runs(), self._rows.jobs()
        self._hear_news()
        self._compare_with_events(runs)
        self._check_final(runs)
        self._check_leases(runs)
        self._check_attempts(runs)
        self._check_chains(runs)
        self._check_limits(runs)
        self._check_ledger(runs, jobs)
        self._check_counts(runs)

    def _hear_news(self) -> None:
        """Each move is told once, in its order: no state is left out between two events of a run."""
        news = self._rows.events(self.told[-1]["id"] if self.told else 0)
        self.told += news
        for event in news:
            if event["kind"] == "run.created":
                assert event["subject_id"] not in self._latest, "a run was created twice"
                assert (event["data"]["state"], event["data"]["version"]) == ("pending", 1)
                self._latest[event["subject_id"]] = event["data"]
            elif event["kind"] == "run.changed":
                self._follow(event["subject_id"], event["data"])
            elif event["kind"] == "fire.recorded":
                self._recorded.add(event["data"]["id"])

    def _follow(self, run_id: str, now: Row) -> None:
        before = self._latest[run_id]
        source, target = RunState(before["state"]), RunState(now["state"])
        assert source not in FINAL, f"run {run_id} was {source} and changed"
        if source != target:
            assert target in MOVES[source], f"run {run_id} went from {source} to {target}"
            assert now["version"] == before["version"] + 1
        assert before["version"] <= now["version"] <= before["version"] + 1
        assert before["attempt"] <= now["attempt"] <= before["attempt"] + (target == RunState.RUNNING)
        self._latest[run_id] = now

    def _compare_with_events(self, runs: dict[str, Row]) -> None:
        """What was told last of each run is how it stands."""
        assert list(runs) == list(self._latest), "a run that no event tells of, or the other way round"
        for run_id, row in runs.items():
            told = self._latest[run_id]
            shown = {**row, "attempt": row["attempt"] - _is_promised(row)}
            for name in ("state", "version", "attempt"):
                assert told[name] == shown[name], f"{name} of run {run_id} is {shown[name]}, told was {told[name]}"
            assert (told["cancelRequestedAt"] is None) == (row["cancel_requested_at"] is None)
            assert (told["finishedAt"] is None) == (row["finished_at"] is None)

    def _check_final(self, runs: dict[str, Row]) -> None:
        """A run that has ended never changes again, nor what was said of it while it ran."""
        for run_id, row in runs.items():
            if row["state"] in FINAL:
                now = {**row, "beside": self._rows.said(row["number"])}
                assert self._final.setdefault(run_id, now) == now, f"run {run_id} changed after its end"
        assert self._final.keys() <= runs.keys()

    def _check_leases(self, runs: dict[str, Row]) -> None:
        running = [row for row in runs.values() if row["state"] == RunState.RUNNING]
        for row in runs.values():
            held = (row["lease_until"] is not None, row["worker_id"] is not None and row["state"] not in FINAL)
            leased = row in running or _is_promised(row)
            assert held == ((True, True) if leased else (False, False)), f"lease of a {row['state']} run"
            assert not _is_promised(row) or (row["attempt"], row["concurrency_key"]) == (1, None)
            assert row["cancel_due_at"] is None or row["state"] in ("pending", "retrying")
            assert (row["finished_at"] is not None) == (row["state"] in FINAL)
        workers = Counter(row["worker_id"] for row in running)
        assert all(count == 1 for count in workers.values()), f"a worker with two runs: {workers}"

    def _check_attempts(self, runs: dict[str, Row]) -> None:
        """Numbered from one without a gap; all ended but that of a running run."""
        numbers = {row["number"]: row for row in runs.values()}
        seen = set()
        for number, group in groupby(self._rows.attempts(), key=lambda row: row["run_number"]):
            attempts, run = list(group), numbers[number]
            assert [each["attempt"] for each in attempts] == list(range(1, run["attempt"] + 1))
            assert all(each["ended_at"] is not None for each in attempts[:-1])
            held = run["state"] == RunState.RUNNING or _is_promised(run)
            assert (attempts[-1]["ended_at"] is None) == held
            if held:
                assert attempts[-1]["worker_id"] == run["worker_id"]
            seen.add(number)
        assert all((row["attempt"] > 0) == (row["number"] in seen) for row in runs.values())

    def _check_counts(self, runs: dict[str, Row]) -> None:
        """What triggers have counted is what there is."""
        ended = [row for row in runs.values() if row["state"] in FINAL]
        for table, names in (
            ("run_counts", ("account_id", "type", "state")),
            ("job_counts", ("job_number", "type", "state")),
        ):
            there = Counter(tuple(row[name] for name in names) for row in ended)
            kept = {tuple(row[name] for name in names): row["count"] for row in self._rows.counts(table)}
            assert kept == there, f"{table} differs"

    def _check_chains(self, runs: dict[str, Row]) -> None:
        for row in runs.values():
            if row["chained"] and row["state"] == RunState.RUNNING:
                older = [
                    each for each in runs.values()
                    if each["job_number"] == row["job_number"] and each["number"] < row["number"]
                ]  # fmt: skip
                assert all(each["state"] in FINAL for each in older), f"run {row['id']} did not wait for an older one"

    def _check_limits(self, runs: dict[str, Row]) -> None:
        keys = Counter(
            (row["account_id"], row["concurrency_key"], row["concurrency_limit"])
            for row in runs.values()
            if row["state"] == RunState.RUNNING and row["concurrency_key"] is not None
        )
        for (_, key, limit), running in keys.items():
            assert running <= limit, f"{running} with the key {key} run at once, {limit} may"

    def _check_ledger(self, runs: dict[str, Row], jobs: dict[str, Row]) -> None:
        """One row for a moment; a run for each that started, and a row for each run of the schedule."""
        fires = self._rows.fires()
        moments = Counter((row["job_number"], row["fire_at"]) for row in fires)
        assert all(count == 1 for count in moments.values()), "a moment was decided twice"
        started = [row["run_id"] for row in fires if row["run_id"] is not None]
        scheduled = [row["id"] for row in runs.values() if row["cause"] in ("schedule", "catch_up")]
        assert sorted(started) == sorted(scheduled), "fires that started and runs of the schedule differ"
        for row in fires:
            assert row["id"] in self._recorded, "a ledger row that no event tells of"
            assert (row["outcome"] == "started") <= (row["run_id"] is not None)
            if row["run_id"] is not None:
                run = runs[row["run_id"]]
                assert (run["job_number"], run["fire_at"]) == (row["job_number"], row["fire_at"])
        for job_id, row in jobs.items():
            assert self._high_water.get(job_id, row["high_water"]) <= row["high_water"], "a high-water mark went back"
            self._high_water[job_id] = row["high_water"]


def _is_promised(run: Row) -> bool:
    return run["state"] == RunState.PENDING and run["lease_until"] is not None
