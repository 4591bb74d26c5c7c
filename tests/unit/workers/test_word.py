"""The word that begins an order, said by two threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from agent.workers.word import Word

LINE = b'{"begin":true}\n'


@pytest.fixture
def link() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_it_is_said_once(link: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = link
    word = Word(LINE, ours)
    assert not word.is_said()
    word.say()
    word.say()
    assert word.is_said()
    assert word.take() == b""
    ours.shutdown(socket.SHUT_WR)
    assert theirs.recv(1000) == LINE


def test_what_was_taken_is_not_said_by_others(link: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = link
    word = Word(LINE, ours)
    assert word.take() == LINE
    word.say()
    assert not word.is_said()
    ours.shutdown(socket.SHUT_WR)
    assert theirs.recv(1000) == b""


def test_where_there_is_no_room_or_nobody_it_is_left_to_the_loop(link: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = link
    with suppress(BlockingIOError):
        while True:
            ours.send(bytes(65536))
    word = Word(LINE, ours)
    word.say()
    assert (word.is_said(), word.take()) == (False, LINE)
    theirs.close()
    word = Word(LINE, ours)
    word.say()
    assert (word.is_said(), word.take()) == (False, LINE)


def test_of_two_threads_one_says_it(link: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = link
    for _ in range(300):
        word = Word(LINE, ours)
        other = threading.Thread(target=word.say)
        other.start()
        if rest := word.take():
            ours.send(rest)
        other.join()
        assert theirs.recv(1000) == LINE
