"""Drivers for the tests of the pool, loaded by workers from this folder."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.workers.outbox import Event, Outbox


class Count(BaseModel):
    count: int = 1
    size: int = 20


def nothing(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    return {}


def end_within_a_return(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Ends between the moment when what waits behind it is taken to be given back, and the word of that."""
    hold, begun, ended = Outbox.hold, threading.Event(), threading.Event()

    def slowly(self: Outbox, event: Event) -> None:
        if event["op"] == "returned":
            begun.set()
            ended.wait(60)
        hold(self, event)
        if event["op"] == "ended":
            threading.Timer(0.05, ended.set).start()  # when its words are on their way

    Outbox.hold = slowly  # type: ignore[method-assign]
    begun.wait(60)
    return {}


def tell(context: RunContext, data: Count) -> dict[str, Any]:
    """Everything that a context can do."""
    context.scratch.joinpath("file").write_text("x")
    context.log("hello")
    context.warn("careful, " + context.secret("key"))
    with context.step("one", "The first") as step:
        step.message("half")
        step.result({"n": data.count})
    context.save_checkpoint({"at": 1})
    for done in range(data.count + 1):
        context.progress(done, data.count, unit="rows")
    print("printed")
    return {"checkpoint": context.checkpoint, "scratch": str(context.scratch), "secret": context.secret("key")}


def say(context: RunContext, data: Count) -> dict[str, Any]:
    """As drivers that were programs do: what is set up once writes to the stream of that moment for ever."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.info("logged %d", data.count)
    print("printed", data.count, end="")
    return {"pid": os.getpid()}


def start_programs(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Without a word of where their output goes, or with Python's own streams."""
    context.log("before")
    subprocess.run("echo out; echo err >&2", shell=True, check=True)
    print("between")
    subprocess.run(["echo", "to the stream"], stdout=sys.stdout, check=True)
    subprocess.run(["printf", "half"], check=True)
    context.log("after")
    sys.stdout.buffer.write(b" a line")
    return {}


def fork_some(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Copies of the worker: one of multiprocessing, which prints, and one that returns as if it were the worker."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    child = multiprocessing.get_context("fork").Process(target=_print_and_log, args=(context,))
    child.start()
    child.join()
    if copy := os.fork():
        os.waitpid(copy, 0)
    return {"copy": not copy}


def _print_and_log(context: RunContext) -> None:
    print("printed by a child")
    logging.info("logged by a child")
    context.log("not heard")


def redraw(context: RunContext, data: Count) -> dict[str, Any]:
    """As progress bars do: the same line over and over."""
    for number in range(data.count):
        print(f"\r{number} " + "#" * data.size, end="")
    return {}


def print_at_signals(context: RunContext, data: Count) -> dict[str, Any]:
    """A handler that prints, in the middle of what prints."""
    signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    for number in range(data.count):
        context.log(f"line {number}")
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {}


def die_of_an_assertion(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """As C code does, and nobody reads any more what it said: the thread that would waits for the interpreter."""
    os.write(2, b"x.c:12: the key is " + context.secret("key").encode() + b"\n")
    ctypes.PyDLL(None).abort()
    return {}


def print_in_c(context: RunContext, data: Count) -> dict[str, Any]:
    """Into the buffer of the C library, which nobody empties."""
    ctypes.CDLL(None).printf(b"printed in C: %d\n", data.count)
    return {}


def pour(context: RunContext, data: Count) -> dict[str, Any]:
    """Lines of a program, as fast as it writes."""
    subprocess.run(f"yes {'x' * data.size} | head -n {data.count}", shell=True, check=True)
    return {"peak": int(next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x).split()[1])}


def close_streams(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    sys.stdout.close()
    os.close(1)
    return {"pid": os.getpid()}


def flood(context: RunContext, data: Count) -> dict[str, Any]:
    for number in range(data.count):
        context.log(f"{number} " + "x" * data.size)
    return {"peak": int(next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x).split()[1])}


def open_few(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Lowers for good how many files its process may open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    return {}


def nest(context: RunContext, data: Count) -> dict[str, Any]:
    """A result of so many levels; of 0, one that contains itself."""
    result: dict[str, Any] = {}
    if data.count == 0:
        result["self"] = result
    for _ in range(data.count - 1):
        result = {"deeper": result}
    return result


def fail(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    if data.get("kind"):
        raise DriverError(data["kind"], "told so", transient=True)
    raise ValueError(f"row {os.getpid()} of '/tmp/a' is broken")


def obey(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    context.log("ready")
    while True:
        context.cancelled.wait(60)
        context.check_cancelled()


def sleep_deaf(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Never looks at `cancelled`, but can be interrupted."""
    context.log("ready")
    while True:
        time.sleep(60)


def stubborn(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Swallows every interruption; only KILL ends it. With a detached grandchild."""
    detach(context, data)
    context.log("ready")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            continue


_DETACH = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
time.sleep(600)
"""


def detach(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Leave a grandchild that ignores TERM in a session of its own; `bare`: without the marks in its environment."""
    pids = Path(data["pids"])
    before = pids.stat().st_size if pids.exists() else 0
    command = [sys.executable, "-c", _DETACH, str(pids)]
    subprocess.run(command, env={} if data.get("bare") else None, check=True)
    while not pids.exists() or pids.stat().st_size == before:
        time.sleep(0.005)  # a driver's own wait, for the state; its run's timeout is the deadline
    return {}


def leave_thread(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    return {"pid": os.getpid()}


def die(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    context.log("about to die")
    os.kill(os.getpid(), data.get("signal", 9))
    return {}


def dirty(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    os.environ["LEFT"] = "behind"
    os.chdir("/")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(3600)
    return {}


def clean(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "left": os.environ.get("LEFT"),
        "folder": str(Path.cwd()),
        "run": os.environ.get("JOBDECK_RUN"),
        "deaf": signal.getsignal(signal.SIGTERM) is signal.SIG_IGN,
        "alarm": signal.getitimer(signal.ITIMER_REAL)[0],
    }


def call_rebound(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """`api-call`, with a name server that answers `rebind.test` with each of `answers` in turn, the last one ever after;
    one answer may be several addresses."""
    from agent.drivers.api_call.parameters import ApiCallParameters
    from agent.drivers.api_call.run import run

    answers = list(data.pop("answers"))
    resolve = socket.getaddrinfo

    def rebinding(host: Any, *rest: Any, **named: Any) -> Any:
        if host in ("rebind.test", b"rebind.test"):
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            return [found for address in answer.split() for found in resolve(address, *rest, **named)]
        return resolve(host, *rest, **named)

    socket.getaddrinfo = rebinding
    try:
        return run(context, ApiCallParameters.model_validate(data))
    finally:
        socket.getaddrinfo = resolve


_RUNAWAY = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
last = time.monotonic() + 60
while time.monotonic() < last:
    if os.fork():
        os._exit(0)
    if sys.argv[1] == "sessions":
        os.setsid()
    open(sys.argv[2], "w").write(str(os.getpid()))
"""


def run_away(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Leave a process that runs from every signal by forking and dying, a generation each millisecond or so."""
    subprocess.run([sys.executable, "-c", _RUNAWAY, data["how"], data["pid"]], check=True)
    while not Path(data["pid"]).exists():
        time.sleep(0.005)
    context.log("ready")
    context.cancelled.wait()
    raise RunCancelled


def chatter(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Talks without end and never looks at `cancelled`."""
    number = 0
    while True:
        context.log(f"{number} " + "x" * 200)
        number += 1
