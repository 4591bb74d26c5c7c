"""Fixtures and ways of running that more than one kind of test asks for."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import os
from collections.abc import Callable, Generator, Mapping

import pytest
from hypothesis import settings

from agent.loop import new_loop
from tests.harness.long import begin_soak, examples, is_soak
from tests.harness.postgres import guarded_postgres, postgres_database, postgres_server
from tests.harness.telling import tell_logs

__all__ = ["guarded_postgres", "postgres_database", "postgres_server"]

_EXAMPLES = 50
"""Of a property that does not say how many."""
_TESTS_AT_ONCE = 1.5
"""For each core: they wait for other processes for a good part of their time."""
_LONGEST = 600.0
"""Seconds that a test may take, unless it is a `soak`: whoever takes longer hangs. Its process tells where its threads
are and ends, which xdist makes a failure of that test; the others go on."""
_STDERR = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if "soak" in config.option.markexpr and "not soak" not in config.option.markexpr:
        config.option.hypothesis_seed = begin_soak()
    settings.register_profile("usual", examples(_EXAMPLES))
    settings.load_profile("usual")
    config.stash[_STDERR] = os.dup(2)  # while a test runs, what is written to 2 is caught


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("soak") is None:
        faulthandler.dump_traceback_later(_LONGEST, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_soak() and getattr(getattr(item, "function", None), "is_hypothesis_test", False):
            item.add_marker("soak")


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they load stay to the end: the collector need not look through them again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and (told := tell_logs()):
        report.sections.append(("what agents have logged", told))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if is_soak():
        terminalreporter.write_line(f"the same again: make soak SEED={begin_soak()}")


def pytest_xdist_auto_num_workers() -> int:
    return max(2, round(_TESTS_AT_ONCE * len(os.sched_getaffinity(0))))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": new_loop}
