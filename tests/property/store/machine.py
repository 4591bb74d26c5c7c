"""Any order of events: what operators, agents and their workers may ask of the store, drawn by Hypothesis.

Each rule says what its own act must have done; what must be true at all times is the witness's to say.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from agent.core.records import JobChange, NewJob, NewRun, SettledJob
from agent.store.types import to_micros
from shared.ids import new_id
from tests.property.store.agents import WORKERS
from tests.property.store.stage import LEASE, LIMITS, MINUTE, NOON, Stage, definition, fence_of, one, together

_any = st.integers(0, 999)
"""Which of those that there are."""
_keys = st.sampled_from([None, None, *LIMITS])
_priorities = st.integers(-1, 1)
_windows = st.none() | st.integers(1, 6)
_ends = st.sampled_from(["completed", "failed", "cancelled", "retrying"])
_fates = st.sampled_from(["started", "started", "chained", "skipped", "missed"])


class AnyOrder(Stage):
    @initialize(
        jobs=st.lists(st.tuples(_keys, _priorities, _windows), min_size=1, max_size=3),
        runs=st.lists(st.tuples(_any, st.booleans()), min_size=1, max_size=5),
    )
    def begin(self, jobs: list[tuple[str | None, int, int | None]], runs: list[tuple[int, bool]]) -> None:
        for agent in self.agents:
            self.do(agent.start())
        self.do(self.agents[0].store.ensure_account("main", "anna-id", "anna", NOON))
        for job in jobs:
            self.create(*job, by=0)
        for which, chained in runs:
            self.ask_for_runs(which=which, count=1, chained=chained, wait=0, by=0)

    # -- what operators ask --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < 4)
    @rule(key=_keys, priority=_priorities, window=_windows, by=_any)
    def create(self, key: str | None, priority: int, window: int | None, by: int) -> None:
        number = len(self.jobs)
        given = definition(number, key, priority)
        end = None if window is None else self.now + window * MINUTE
        new = NewJob(new_id(), "main", "anna-id", f"job-{number}", given, self.marks(end))
        self.jobs.append(self.do(self.agent(by).store.insert_job(new, self.now)).id)

    @precondition(lambda self: self.living())
    @rule(which=_any, key=_keys, how=st.sampled_from(["replaced", "paused", "resumed"]), by=_any)
    def change(self, which: int, key: str | None, how: str, by: int) -> None:
        job, store = one(self.living(), which), self.agent(by).store
        if how == "replaced":
            given = definition(self.jobs.index(job["id"]), key, 0)
            self.do(store.replace_job(JobChange(job["id"], given, self.marks(None), "anna-id"), None, self.now))
        else:
            since = self.now if how == "paused" else None
            self.do(store.set_paused(job["id"], since, self.now + MINUTE, self.now))
        assert self.rows.jobs()[job["id"]]["version"] == job["version"] + 1

    @precondition(lambda self: self.jobs)
    @rule(which=_any, by=_any)
    def delete(self, which: int, by: int) -> None:
        job = self.job(which)
        if job["deleted_at"] is None:
            self.do(self.agent(by).store.delete_job(job["id"], None, self.now))
            waiting = [run for run in self.runs_of(job) if run["state"] in ("pending", "retrying")]
            assert not [run for run in waiting if run["lease_until"] is None]

    @precondition(lambda self: self.living())
    @rule(which=_any, count=st.integers(1, 3), chained=st.booleans(), wait=st.integers(0, 90), by=_any)
    def ask_for_runs(self, which: int, count: int, chained: bool, wait: int, by: int) -> None:
        """By hand, or again one that was there before."""
        job = one(self.living(), which)
        before = self.runs_of(job)
        original = before[-1]["id"] if before and wait % 2 else None
        due = self.now + timedelta(seconds=wait)
        new = [
            NewRun(new_id(), job["id"], "api", None, due, chained=chained, original_run_id=original)
            for _ in range(count)
        ]
        created = self.do(self.agent(by).store.insert_runs(new, self.now))
        assert [run.id for run in created] == [run.id for run in new]

    @precondition(lambda self: self.rows.runs())
    @rule(which=st.lists(_any, min_size=1, max_size=4), delay=st.none() | st.integers(1, 30), by=_any)
    def cancel(self, which: list[int], delay: int | None, by: int) -> None:
        asked = self.some_runs(which)
        due = None if delay is None else self.now + timedelta(seconds=delay)
        self.do(self.agent(by).store.request_cancel([run["id"] for run in asked], "anna", self.now, self.now, due=due))
        for run in asked:
            now = self.run(run["id"])
            if run["lease_until"] is not None and run["state"] == "pending":
                assert (now["state"], now["version"]) == ("pending", run["version"])
                assert now["cancel_requested_at"] is not None
            elif run["state"] in ("pending", "retrying"):
                bears = now["state"] == run["state"] and now["cancel_due_at"] is not None
                assert bears if due is not None else now["state"] == "cancelled"
            elif run["state"] == "running":
                assert (now["state"], now["version"]) == ("running", run["version"])
                assert now["cancel_requested_at"] is not None

    @precondition(lambda self: self.leaving())
    @rule(which=st.lists(_any, min_size=1, max_size=4), by=_any)
    def take_back_cancels(self, which: list[int], by: int) -> None:
        asked = self.some_runs(which)
        back = self.do(self.agent(by).store.withdraw_cancels([run["id"] for run in asked], self.now))
        assert {run.id for run in back} == {run["id"] for run in asked if run["cancel_due_at"] is not None}
        assert all(self.run(run.id)["cancel_requested_at"] is None for run in back)

    # -- what time brings ----------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 61, 30, 200]))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @precondition(lambda self: self.jobs)
    @rule(
        which=_any, fates=st.lists(_fates, min_size=1, max_size=3), replaces=st.booleans(), by=_any, keep=st.booleans()
    )
    def fire(self, which: int, fates: list[str], replaces: bool, by: int, keep: bool) -> None:
        """A decision on the job's next moments, whatever the rules would say; stored at once, or kept for later."""
        job = self.job(which)
        moment = self.now.replace(second=0) - len(fates) * MINUTE
        rows = [self.fire_row(job["id"], moment + number * MINUTE, fate) for number, fate in enumerate(fates, 1)]
        self.decisions.append(
            SettledJob(job["id"], job["version"], rows, self.now, self.now + MINUTE, cancel_running=replaces)
        )
        if not keep:
            self.settle([0], by)

    @precondition(lambda self: self.decisions)
    @rule(which=st.lists(_any, min_size=1, max_size=3), by=_any)
    def settle(self, which: list[int], by: int) -> None:
        """Some of the decisions, the same ones again too: what is decided stays, what has moved is left alone."""
        given = [one(self.decisions[::-1], each) for each in which]
        decided = {(row["job_number"], row["fire_at"]) for row in self.rows.fires()}
        jobs = self.rows.jobs()
        wanted: list[str] = []
        for decision in given:
            job = jobs[decision.job_id]
            for row in decision.rows if job["deleted_at"] is None and job["version"] == decision.version else ():
                moment = (job["number"], to_micros(row.fire_at))
                if moment not in decided and row.run is not None:
                    wanted.append(row.run.id)
                decided.add(moment)
        created = self.do(self.agent(by).store.settle(given, self.now))
        assert sorted(run.id for run in created) == sorted(wanted)

    @precondition(lambda self: self.living())
    @rule(which=_any, fates=st.lists(_fates, min_size=1, max_size=2), by=_any)
    def settle_late(self, which: int, fates: list[str], by: int) -> None:
        """An agent was slow: the other has looked at the same job since, and decided more."""
        place = self.jobs.index(one(self.living(), which)["id"])
        self.fire(which=place, fates=fates, replaces=False, by=by, keep=True)
        self.pass_time(seconds=61)
        self.fire(which=place, fates=["started"], replaces=False, by=by + 1, keep=False)
        self.witness.look()
        self.settle(which=[1], by=by)

    @precondition(lambda self: self.leaving())
    @rule(by=_any)
    def carry_out_cancels(self, by: int) -> None:
        due = [run["id"] for run in self.leaving() if run["cancel_due_at"] <= self.micros]
        done = self.do(self.agent(by).store.carry_out_cancels(self.now, 100))
        assert sorted(run.id for run in done) == sorted(due)
        assert all(self.run(run_id)["state"] == "cancelled" for run_id in due)

    # -- what agents do ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.in_state("pending", "retrying"))
    @rule(by=_any, most=st.integers(1, WORKERS))
    def claim(self, by: int, most: int) -> None:
        agent, before = self.agent(by), self.rows.runs()
        workers = agent.idle(most)
        claimed = self.do(self.claims(agent, most))
        after = self.rows.runs()
        closed = {run_id for run_id in after if after[run_id]["state"] != before[run_id]["state"]}
        closed -= {each.run.id for each in claimed}
        assert [each.run.worker_id for each in claimed] == workers[: len(claimed)]
        order = [(-each.run.priority, each.run.number) for each in claimed]
        assert order == sorted(order)
        for each in claimed:
            was = before[each.run.id]
            assert was["state"] in ("pending", "retrying")
            assert was["cancel_due_at"] is None
            assert was["available_at"] <= self.micros
            assert each.run.attempt == was["attempt"] + 1
        if not closed and len(claimed) < len(workers):
            assert not [run["id"] for run in after.values() if self.may_start(run, after)], "left waiting"
        if not closed and claimed:
            self.check_none_was_passed_over(claimed, before)

    @precondition(lambda self: self.in_state("pending"))
    @rule(by=_any, most=st.integers(0, WORKERS), ahead=st.integers(1, 4))
    def promise(self, by: int, most: int, ahead: int) -> None:
        agent, before = self.agent(by), self.rows.runs()
        claimed = self.do(self.claims(agent, most, ahead=ahead))
        for each in claimed:
            if each.promised:
                was, now = before[each.run.id], self.run(each.run.id)
                assert (was["state"], was["attempt"], was["lease_until"]) == ("pending", 0, None)
                assert (was["concurrency_key"], was["cancel_due_at"]) == (None, None)
                assert each.run.priority >= 0, "it may not wait"
                assert was["available_at"] <= self.micros
                assert now["state"] == "pending"
                assert self.holds(fence_of(each))

    @precondition(lambda self: self.fences)
    @rule(which=st.lists(_any, min_size=1, max_size=4), by=_any)
    def give_back(self, which: list[int], by: int) -> None:
        fences = self.some_fences(which)
        before = self.rows.runs()
        back = {fence.run_id for fence in fences if self.holds(fence) and before[fence.run_id]["state"] == "pending"}
        self.do(self.agent(by).store.give_back(fences, self.now))
        deleted = {job["number"] for job in self.rows.jobs().values() if job["deleted_at"] is not None}
        for run_id, now in self.rows.runs().items():
            was = before[run_id]
            if run_id not in back:
                assert now == was
            else:
                unwanted = was["cancel_requested_at"] is not None or was["job_number"] in deleted
                assert now["state"] == ("cancelled" if unwanted else "pending")
                assert (now["attempt"], now["lease_until"], now["worker_id"]) == (0, None, None)

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(_any, min_size=1, max_size=4), by=_any)
    def heartbeat(self, which: list[int], by: int) -> None:
        self.keep_running(by)
        agent, fences = self.agent(by), self.some_fences(which)
        until = self.now + LEASE
        stale = [fence for fence in fences if not self.holds(fence)]
        before = self.rows.runs()
        refused = self.do(agent.store.extend_leases(fences, until, self.now))
        assert refused == stale
        agent.is_rid_of(refused)
        given = {fence.run_id for fence in fences if fence not in stale}
        for run_id, row in self.rows.runs().items():
            assert row == ({**before[run_id], "lease_until": to_micros(until)} if run_id in given else before[run_id])

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(_any, min_size=1, max_size=3), done=st.integers(0, 9), by=_any)
    def update(self, which: list[int], done: int, by: int) -> None:
        self.keep_running(by)
        fences = self.in_turn(self.some_fences(which))
        holders = {fence.run_id for fence in fences if self.holds(fence)}
        before = {run_id: self.beside(run_id) for run_id in self.rows.runs()}
        refused = self.do(self.agent(by).store.update_runs([self.news(fence, done) for fence in fences], self.now))
        assert refused == [fence for fence in fences if not self.holds(fence)]
        for run_id, was in before.items():
            if run_id in holders:
                assert self.run(run_id)["done"] == done, "what the holder said is not there"
            else:
                assert self.beside(run_id) == was, "somebody wrote for a run without holding it"

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.lists(st.tuples(_any, _ends), min_size=1, max_size=3), by=_any)
    def finish(self, which: list[tuple[int, str]], by: int) -> None:
        """Ends as workers tell them, the same one twice too: the first that holds counts, all others are evidence."""
        self.keep_running(by)
        fences = self.fences[::-1]
        outcomes = [self.outcome(one(fences, each), how) for each, how in which if fences]
        self.end(self.agent(by), outcomes)
        self.forget([outcome.fence for outcome in outcomes])

    @precondition(lambda self: self.in_state("running"))
    @rule(by=_any, again=st.booleans(), known=st.booleans())
    def rescue(self, by: int, again: bool, known: bool) -> None:
        """Leases that ran out: whoever held them may come back and is refused, or knows and takes the next run."""
        agent = self.agent(by)
        expired = self.do(agent.store.expired_leases(self.now))
        assert {each.run.id for each in expired} == {
            run["id"] for run in self.rows.runs().values() if (run["lease_until"] or self.micros + 1) <= self.micros
        }
        fences = [fence_of(each) for each in expired]
        self.end(agent, [self.outcome(fence, "retrying" if again else "failed") for fence in fences])
        if known:
            self.forget(fences)

    @precondition(lambda self: self.in_state("running"))
    @rule(which=_any)
    def restart(self, which: int) -> None:
        """An agent dies and comes back under a new id; what it held is rescued, its workers' words come late."""
        agent = self.agent(which)
        old = agent.id
        self.do(agent.stop())
        self.do(agent.start())
        others = self.do(agent.store.leases_of_other_agents(agent.id))
        held = {run["id"] for run in self.rows.runs().values() if run["lease_until"] is not None}
        assert {each.run.id for each in others} == held
        mine = [each for each in others if (each.run.worker_id or "").startswith(f"{old}-")]
        self.end(agent, [self.outcome(fence_of(each), "retrying") for each in mine])

    @precondition(lambda self: self.has_attempts())
    @rule(which=st.integers(0, 2), hows=st.lists(_ends, min_size=2, max_size=3), run=_any, most=st.integers(1, WORKERS))
    def one_commit(self, which: int, hows: list[str], run: int, most: int) -> None:
        """What is asked for together shares a transaction: claims of both agents, ends of one attempt, a cancel."""
        self.keep_running(0)
        store, fence = self.agents[0].store, one(self.fences[::-1], which) if self.fences else None
        ends = [store.finish([self.outcome(fence, how)], self.now) for how in hows] if fence else []
        held = fence is not None and self.holds(fence)
        asked = self.some_runs([run])[0]["id"]
        claims = [self.claims(agent, most, through=store) for agent in self.agents]
        cancel = store.request_cancel([asked], "anna", None, self.now)
        first, second, _, *moved = self.do(together(*claims, cancel, *ends))
        assert not {each.run.id for each in first} & {each.run.id for each in second}, "claimed by both"
        assert list(map(len, moved)) == [held, *[0] * (len(moved) - 1)][: len(moved)]
        self.forget([fence] if fence else [])

    # -- what is true at all times -------------------------------------------------------------------------------------

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.witness.look()
        told = [event["id"] for event in self.witness.told]
        for agent in self.agents:
            heard = [event.id for event in agent.heard]
            begin = told.index(heard[0]) if heard else 0
            assert heard == told[begin : begin + len(heard)], "events that came twice, out of order, or not at all"
