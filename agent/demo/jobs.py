"""The demo's jobs: some succeed, some run long, some retry, three fail each in its own way, some overlap."""

from __future__ import annotations

import sys
from datetime import timedelta

from shared.models import Concurrency, JobInput, Policies, Retry

_SECOND = timedelta(seconds=1)


def demo_jobs(agent_url: str) -> list[JobInput]:
    """A dozen definitions; `agent_url` is where the demo's own agent answers."""
    return [*_keeping_the_index(), *_going_well(agent_url), *_going_wrong(), *_getting_in_the_way()]


def _keeping_the_index() -> list[JobInput]:
    sync = {
        "source_table": "orders_db.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
    }
    return [
        JobInput(
            name="Orders into the index",
            type="kb-sync",
            description="Follows every change of an order.",
            tags=["search"],
            interval_type="cron",
            interval="* * * * *",
            data={**sync, "filter_column": "updated_at", "lag": "1 minute"},
            policies=Policies(concurrency=Concurrency(key="orders")),
        ),
        JobInput(
            name="Rebuild the orders index",
            type="kb-reset",
            description="From nothing, swapped in when it is done.",
            tags=["search"],
            interval_type="cron",
            interval="0 3 * * *",
            timezone="Europe/Berlin",
            data={**sync, "filter_column": "updated_at"},
            policies=Policies(concurrency=Concurrency(key="orders")),
        ),
    ]


def _going_well(agent_url: str) -> list[JobInput]:
    return [
        JobInput(
            name="Heartbeat",
            type="command",
            description="Says that the machine is alive.",
            tags=["health"],
            interval_type="simple",
            interval="15 seconds",
            data={"command": ["/bin/sh", "-c", "echo alive; uname -s"]},
            policies=Policies(overlap="allow"),
        ),
        JobInput(
            name="Nightly archive",
            type="command",
            description="Runs for some minutes and tells how far it is.",
            tags=["backup"],
            interval_type="simple",
            interval="6 minutes",
            data={"command": [sys.executable, "-uc", _ARCHIVE]},
        ),
        JobInput(
            name="Is the agent well?",
            type="api-call",
            tags=["health"],
            interval_type="simple",
            interval="1 minute",
            data={"method": "GET", "url": f"{agent_url}/healthz", "expect": {"status": [200]}},
        ),
        JobInput(
            name="Payment gateway report",
            type="command",
            description="The gateway is often busy: fails, waits, succeeds.",
            tags=["billing"],
            interval_type="simple",
            interval="2 minutes",
            data={"command": ["/bin/sh", "-c", _FLAKY]},
            policies=Policies(retry=Retry(attempts=4, backoff=3 * _SECOND)),
        ),
        JobInput(
            name="Weekly invoices",
            type="command",
            tags=["billing"],
            interval_type="cron",
            interval="30 6 * * MON-FRI",
            timezone="America/New_York",
            data={"command": "echo 312 invoices written"},
        ),
    ]


def _going_wrong() -> list[JobInput]:
    return [
        JobInput(
            name="Import price list",
            type="command",
            description="Fails: the supplier's file has a bad line.",
            tags=["import"],
            interval_type="simple",
            interval="3 minutes",
            data={"command": ["/bin/sh", "-c", _BAD_LINE]},
        ),
        JobInput(
            name="Warehouse stock level",
            type="api-call",
            description="Fails: nobody listens there.",
            tags=["import"],
            interval_type="simple",
            interval="4 minutes",
            data={"method": "GET", "url": "http://127.0.0.1:9/stock"},
            policies=Policies(retry=Retry(attempts=2, backoff=2 * _SECOND)),
        ),
        JobInput(
            name="Replicate to the branch office",
            type="command",
            description="Fails: hangs until its time is over.",
            tags=["backup"],
            interval_type="simple",
            interval="5 minutes",
            data={"command": ["/bin/sh", "-c", "echo connecting to branch; sleep 3600"]},
            policies=Policies(timeout=8 * _SECOND, kill_grace=2 * _SECOND),
        ),
    ]


def _getting_in_the_way() -> list[JobInput]:
    return [
        JobInput(
            name="Thumbnails",
            type="command",
            description="Longer than its interval: every other fire is skipped.",
            tags=["media"],
            interval_type="simple",
            interval="20 seconds",
            data={"command": ["/bin/sh", "-c", _THUMBNAILS]},
        ),
        JobInput(
            name="Mail queue",
            type="command",
            description="Longer than its interval: one run waits.",
            tags=["mail"],
            interval_type="simple",
            interval="30 seconds",
            data={"command": ["/bin/sh", "-c", "echo delivering; sleep 40; echo delivered 17 messages"]},
            policies=Policies(overlap="queue_one"),
        ),
        JobInput(
            name="Old campaign",
            type="command",
            description="Switched off: runs only by hand.",
            interval_type="cron",
            interval="0 9 * * *",
            enabled=False,
            data={"command": "echo nobody reads this"},
        ),
    ]


_ARCHIVE = """
import time
for done in range(1, 241):
    print(f"::progress {done}/240 volume {done:03}")
    if done % 20 == 0:
        print(f"archived volume {done:03}, {done * 37} MB so far")
    time.sleep(1)
"""
_FLAKY = """
echo asking the gateway
if [ $(( $(date +%S | sed s/^0//) % 3 )) -ne 0 ]; then echo gateway: 503 try later >&2; exit 75; fi
echo report: 1284 payments, 3 refunds
"""
_BAD_LINE = """
echo reading prices.csv
echo 'prices.csv line 4711: expected a number, found "call us"' >&2
exit 1
"""
_THUMBNAILS = """
for i in 1 2 3 4 5; do echo "::progress $i/5 picture $i"; sleep 5; done
"""
