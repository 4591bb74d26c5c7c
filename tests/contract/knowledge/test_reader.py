"""The searchable side of knowledge bases, through the real reader process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from agent.core.driving import DriverError
from agent.resources.knowledge import client
from agent.resources.knowledge.client import KnowledgeReader
from agent.resources.knowledge.lock import writer_lock
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.models import KnowledgeBase, SearchInput
from tests.acceptance.workers.stage import until
from tests.contract.drivers.kb_world import KbWorld, later

BASE = KnowledgeBase(
    id="0197-base",
    number=1,
    name="orders_kb",
    account_id="main",
    embedder="wordllama",
    dimensions=256,
    created_at=datetime(2025, 1, 1, tzinfo=UTC),
    updated_at=datetime(2025, 1, 1, tzinfo=UTC),
)
TEXTS = {
    1: "red running shoes for the marathon",
    2: "a warm woollen winter hat",
    3: "laptop computer with a fast processor",
    4: "sneakers for jogging",
    5: "espresso machine, makes strong coffee",
}


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[KnowledgeReader]:
    reader = KnowledgeReader(tmp_path / "knowledge")
    yield reader
    await reader.stop()


@pytest.fixture
def world(tmp_path: Path, reader: KnowledgeReader) -> KbWorld:
    """Five orders, synced into the reader's base."""
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    world.base = Path(reader.grant_path(BASE))
    world.create_orders()
    for id_, text in TEXTS.items():
        world.add(id_, text=text)
    world.sync(content_columns=["description"])
    return world


async def keys(reader: KnowledgeReader, query: str, mode: str = "both", limit: int = 3, **filter_: object) -> list[str]:
    question = SearchInput.model_validate({"query": query, "mode": mode, "limit": limit, "filter": filter_})
    return [hit.key for hit in await reader.search(BASE, question)]


async def test_created_base_is_empty_and_searchable(reader: KnowledgeReader) -> None:
    assert await reader.count(BASE) == (0, 1)
    await reader.create(BASE)
    assert await reader.count(BASE) == (0, 1)
    assert await keys(reader, "anything") == []


async def test_it_is_started_ahead_where_there_is_a_base(reader: KnowledgeReader) -> None:
    await reader.start_if_needed()
    assert reader.pid is None
    await reader.create(BASE)
    await reader.start_if_needed()
    assert reader.pid is not None


async def test_vector_search_finds_by_meaning(world: KbWorld, reader: KnowledgeReader) -> None:
    hits = await reader.search(BASE, SearchInput(query="footwear for joggers", mode="vector", limit=2))
    assert {hit.key for hit in hits} == {"1", "4"}
    assert hits[0].score >= hits[1].score > 0.2
    assert hits[0].origin == "orders_db.orders"
    assert hits[0].text == TEXTS[int(hits[0].key)]
    assert hits[0].attributes["product"] == f"product {hits[0].key}"


async def test_text_search_finds_by_word_and_folds_case_and_accents(world: KbWorld, reader: KnowledgeReader) -> None:
    assert await keys(reader, "ESPRÉSSO", "text") == ["5"]
    assert await keys(reader, "zebra", "text") == []


async def test_both_fuses_the_two_rankings(world: KbWorld, reader: KnowledgeReader) -> None:
    assert (await keys(reader, "hat for cold weather"))[0] == "2"


async def test_no_question_is_a_syntax_error(world: KbWorld, reader: KnowledgeReader) -> None:
    for query in ('"', "a AND", "NEAR(", "text:shoes*", "^-()'--", "", "\x00", "'; DROP TABLE rows"):
        for mode in ("text", "both", "vector"):
            await keys(reader, query, mode)
    assert (await reader.count(BASE))[0] == 5


async def test_filter_by_attributes(world: KbWorld, reader: KnowledgeReader) -> None:
    for mode in ("vector", "text", "both"):
        assert await keys(reader, "shoes sneakers", mode, id=4) == ["4"]
        assert await keys(reader, "shoes sneakers", mode, id=4, product="product 1") == []
        assert await keys(reader, "shoes sneakers", mode, id="4") == []
        assert await keys(reader, "sneakers", mode, limit=1, nothing=None) == ["4"]
        assert await keys(reader, "sneakers", mode, **{"id\"') OR 1=1 --": 1}) == []


async def test_wrong_questions_are_refused_by_field(reader: KnowledgeReader) -> None:
    with pytest.raises(InvalidInput) as refused:
        await reader.search(BASE, SearchInput(query="x", limit=0, filter={"tags": ["a"]}))
    assert [fault.field for fault in refused.value.faults] == ["filter.tags", "limit"]


async def test_rows_are_found_right_after_the_commit_of_their_batch(world: KbWorld, reader: KnowledgeReader) -> None:
    assert await keys(reader, "umbrella", "text") == []
    world.add(6, at=later(60), text="umbrella against rain")
    world.change(1, text="a book of poems", at=later(60))
    world.sync(content_columns=["description"])
    assert await keys(reader, "umbrella", "text") == ["6"]
    assert await keys(reader, "protection from rain", "vector", limit=1) == ["6"]
    assert "1" not in await keys(reader, "running marathon", "text")
    assert await keys(reader, "poetry book", "vector", limit=1) == ["1"]
    assert await reader.count(BASE) == (6, 1)


async def test_search_during_a_reset_sees_the_old_content_then_the_new(world: KbWorld, reader: KnowledgeReader) -> None:
    world.change(2, text="garden chair")
    loop = asyncio.get_running_loop()
    context = world.context()
    during: list[list[str]] = []

    def look(_done: int, _total: int | None) -> None:
        found = asyncio.run_coroutine_threadsafe(keys(reader, "garden chair", "text"), loop).result(10)
        warm = asyncio.run_coroutine_threadsafe(keys(reader, "woollen", "both", limit=1), loop).result(10)
        during.append(found + warm)

    context.on_progress = look
    await asyncio.to_thread(world.reset, context, content_columns=["description"], batch_size=2)
    assert during == [["2"]] * 4
    assert await keys(reader, "garden chair", "text") == ["2"]
    assert await keys(reader, "woollen", "text") == []
    assert await reader.count(BASE) == (5, 2)


async def test_killed_reader_is_replaced_and_the_question_answered(world: KbWorld, reader: KnowledgeReader) -> None:
    await keys(reader, "hat")
    first = reader.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert (await keys(reader, "winter hat"))[0] == "2"
    assert reader.pid not in (None, first)


async def test_stuck_reader_times_out_and_is_replaced(
    world: KbWorld, reader: KnowledgeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys(reader, "hat")
    first = reader.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    monkeypatch.setattr(reader, "_timeout", 0.3)
    monkeypatch.setattr("agent.resources.knowledge.client.PING_SECONDS", 0.3)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
        await keys(reader, "hat")
    monkeypatch.setattr(reader, "_timeout", 30.0)
    assert (await keys(reader, "winter hat"))[0] == "2"
    assert not psutil.pid_exists(first)


async def test_many_questions_at_once_get_their_own_answers(world: KbWorld, reader: KnowledgeReader) -> None:
    asked = [(id_, keys(reader, text, limit=1)) for id_, text in TEXTS.items() for _ in range(20)]
    answers = await asyncio.gather(*(answer for _, answer in asked))
    assert answers == [[str(id_)] for id_, _ in asked]


async def test_readers_do_not_wait_for_a_writer(world: KbWorld, reader: KnowledgeReader) -> None:
    with writer_lock(world.base, world.context(), "orders_kb"):
        assert (await keys(reader, "winter hat"))[0] == "2"


async def test_new_index_is_taken_up_by_itself_and_a_damaged_one_is_not(
    world: KbWorld, reader: KnowledgeReader
) -> None:
    await keys(reader, "hat")
    world.rebuild()
    (index,) = world.base.glob("index-*.usearch")
    assert (await keys(reader, "winter hat"))[0] == "2"
    assert str(index) in mapped_by(reader)
    await reader.stop()
    with index.open("r+b") as file:
        file.write(b"x" * 1000)
    assert (await keys(reader, "winter hat"))[0] == "2"
    assert str(index) not in mapped_by(reader)


def mapped_by(reader: KnowledgeReader) -> set[str]:
    return {place.path for place in psutil.Process(reader.pid).memory_maps()}


async def test_reader_ends_with_the_agent(world: KbWorld, reader: KnowledgeReader) -> None:
    await reader.start_if_needed()
    assert reader.pid is not None
    process = psutil.Process(reader.pid)
    await reader.stop()
    assert not process.is_running()


async def test_delete_waits_for_no_one_and_refuses_while_a_run_writes(world: KbWorld, reader: KnowledgeReader) -> None:
    await keys(reader, "hat")
    held = writer_lock(world.base, world.context("run-w"), "orders_kb")
    with held, pytest.raises(Conflict, match=r"job 'Job under test' \(run run-w, "):
        await reader.delete(BASE)
    await reader.delete(BASE)
    assert not world.base.exists()
    assert await keys(reader, "hat") == []
    await reader.create(BASE)
    assert await keys(reader, "hat") == []


async def test_a_run_that_waits_to_write_does_not_bring_back_what_is_deleted(
    world: KbWorld, reader: KnowledgeReader
) -> None:
    loop, writes = asyncio.get_running_loop(), ExitStack()
    writes.enter_context(writer_lock(world.base, world.context("run-w"), "orders_kb"))
    waits = world.context("run-late")

    def delete(_said: str) -> None:
        writes.close()
        asyncio.run_coroutine_threadsafe(reader.delete(BASE), loop).result(10)

    def write() -> None:
        with writer_lock(world.base, waits, "orders_kb"):
            pytest.fail("it has the right to write to what is gone")

    waits.on_log = delete
    with pytest.raises(DriverError, match="'orders_kb' was deleted before this run could write") as refused:
        await asyncio.to_thread(write)
    assert (refused.value.kind, refused.value.transient) == ("gone", False)
    assert not world.base.exists()


async def test_nor_does_one_that_was_granted_it_before(world: KbWorld, reader: KnowledgeReader) -> None:
    granted = world.context("run-late")
    assert world.base.is_dir()
    await reader.delete(BASE)
    with pytest.raises(DriverError, match="was deleted before") as refused:
        world.sync(granted)
    assert refused.value.kind == "gone"
    assert not world.base.exists()


def test_ids_do_not_lead_out_of_the_root(reader: KnowledgeReader, tmp_path: Path) -> None:
    root = tmp_path / "knowledge"
    for id_ in ("..", "../..", "/etc", ".", "a/b", "a\\b"):
        path = Path(reader.grant_path(BASE.model_copy(update={"id": id_, "account_id": id_})))
        assert path.parent.parent == root
        assert path.resolve() == path


async def test_dimensions(reader: KnowledgeReader) -> None:
    assert await reader.dimensions("wordllama", "default") == 256
    with pytest.raises(InvalidInput, match="there is no such embedder; write 'wordllama'"):
        await reader.dimensions("word2vec", "default")


async def test_the_end_of_one_process_fails_no_question_of_the_next(
    reader: KnowledgeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    mourned, kill = asyncio.Event(), client._kill

    async def slowly(process: asyncio.subprocess.Process) -> None:
        await kill(process)
        await mourned.wait()

    first, listening = await reader._running(), reader._listening
    assert listening is not None
    monkeypatch.setattr(client, "_kill", slowly)
    first.kill()
    await first.wait()
    second = await reader._running()
    assert second is not first
    os.kill(second.pid, signal.SIGSTOP)
    question = asyncio.create_task(reader._exchange({"op": "ping"}, 20))
    await until(lambda: bool(reader._waiting))
    mourned.set()
    await listening
    os.kill(second.pid, signal.SIGCONT)
    assert (await question)["result"] == "pong"
