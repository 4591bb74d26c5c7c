"""Committed events, to everyone who listens: each serialised once, nobody waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from agent.api.frames import RETRY, event_frame, reset_frame
from agent.core.permissions.sight import Answer, Listener, Sight, WholeAccount, masked
from agent.core.ports import Store
from agent.core.trouble import told_at_once
from shared.models import Event

_PAGE = 500
_EVERYBODY = ""
"""The account of events that concern all accounts."""
_WHO_THERE_IS = {"account.changed", "user.changed", "token.changed"}
_WHO_MAY_HEAR = {*_WHO_THERE_IS, "share.changed"}
_NUDGE = b": who there is has changed\n\n"
"""A comment: it says nothing to a listener, but has the stream asked whether it may go on."""
_WHO_SEES_WHAT = {"share.changed", "job.created"}


class Subscriber:
    """One open stream: what was committed since it last read, bounded in frames and in bytes.

    While it reads its backlog from the store, an overflow costs nothing: the store has it all. Later it means that
    the other side has stopped reading: it is told to begin anew, and dropped.
    """

    def __init__(self, account_id: str, sight: Listener, most: int, most_bytes: int) -> None:
        self.account_id = account_id
        self.sight = sight
        """What its user may hear of."""
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._frames: deque[tuple[int, bytes]] = deque()
        self._woken = asyncio.Event()
        self.behind = True
        self._overflowed = False
        self._closed = False

    def put(self, event_id: int, frame: bytes) -> None:
        """Never blocks, never grows beyond the bound."""
        if self._closed:
            return
        if len(self._frames) < self._most and self._bytes + len(frame) <= self._most_bytes:
            self._frames.append((event_id, frame))
            self._bytes += len(frame)
        else:
            self._overflow(event_id, "slow")
        self._woken.set()

    def begin_anew(self, event_id: int) -> None:
        """What its user may see has changed."""
        if not self._closed:
            self._overflow(event_id, "access")
            self._woken.set()

    def close(self) -> None:
        """End the stream after what is waiting."""
        self._closed = True
        self._woken.set()

    def catch_up(self) -> bool:
        """Called when the store has no more: True if live events have carried on seamlessly since."""
        seamless = not self._overflowed
        self._overflowed = False
        self.behind = not seamless
        return seamless

    async def live(self, position: int) -> AsyncIterator[bytes]:
        """Frames after `position`, all that are waiting in one piece, until the stream is closed."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            closed = self._closed
            waiting = b"".join(frame for event_id, frame in self._frames if event_id > position or not event_id)
            self._frames.clear()
            self._bytes = 0
            if waiting:
                yield waiting
            if closed:
                return

    def _overflow(self, event_id: int, reason: str) -> None:
        self._overflowed = True
        self._frames.clear()
        self._bytes = 0
        if not self.behind:
            self._frames.append((event_id, reset_frame(event_id, reason)))
            self.close()


class Broadcast:
    """The agent's one subscription to its store, shared by all streams."""

    def __init__(self, store: Store, *, most_waiting: int = 5000, most_bytes: int = 8 * 1024 * 1024) -> None:
        self._store = store
        self._bounds = most_waiting, most_bytes
        self._subscribers: set[Subscriber] = set()
        self.closing = asyncio.Event()
        """Set when the agent stops: whatever holds an answer open lets go of it."""
        self.access_changes = 0
        self._access_changed = asyncio.Event()
        """How often who there is, or what is shared, has changed: a stream that began before asks again whether it may go
        on."""
        self._sight_changes = 0
        self._unsubscribe = store.subscribe(self.publish)

    @property
    def listeners(self) -> int:
        return len(self._subscribers)

    @property
    def all_live(self) -> bool:
        """False while a stream still reads its backlog from the store."""
        return not any(subscriber.behind for subscriber in self._subscribers)

    def close(self) -> None:
        """End all streams; they close with what is waiting."""
        self._unsubscribe()
        self.closing.set()
        for subscriber in self._subscribers:
            subscriber.close()

    async def stream(self, account_id: str, after: int | None, seen_by: str | None = None) -> AsyncIterator[bytes]:
        """Every event of the account after that position that this user may hear of (None: all), once each and in
        order, as frames; None as the position: all that comes after the first frame.

        The subscriber is enrolled before the store is read, so nothing falls between the two; what comes both ways is
        told by its number.
        """
        subscriber = self._enrol(account_id, await self._sight_of(account_id, seen_by))
        try:
            position = await self._store.last_event_id() if after is None else after
            yield RETRY
            if (trouble := self._store.trouble) is not None:
                yield event_frame(told_at_once(trouble))
            while True:
                page = await self._store.events_after(account_id, position, _PAGE)
                if page is None:
                    position = await self._store.last_event_id()
                    yield reset_frame(position, "unknown")
                elif page:
                    position = page[-1].id
                    told = _told(subscriber.sight, page)
                    if told is None:
                        subscriber.sight = await self._sight_of(account_id, seen_by)
                        position = await self._store.last_event_id()
                    frames = reset_frame(position, "access") if told is None else b"".join(map(event_frame, told))
                    if frames:
                        yield frames
                if (page is None or len(page) < _PAGE) and subscriber.catch_up():
                    break
            async for frames in subscriber.live(position):
                yield frames
        finally:
            self._subscribers.discard(subscriber)

    async def _sight_of(self, account_id: str, user_id: str | None) -> Listener:
        """As it is when the listener is enrolled: whatever changed it meanwhile is looked at again."""
        if user_id is None:
            return WholeAccount(account_id)
        while True:
            changes = self._sight_changes
            sight = await Sight.of(self._store, account_id, user_id)
            if changes == self._sight_changes:
                return sight

    def _enrol(self, account_id: str, sight: Listener) -> Subscriber:
        subscriber = Subscriber(account_id, sight, *self._bounds)
        self._subscribers.add(subscriber)
        if self.closing.is_set():
            subscriber.close()
        return subscriber

    async def access_change(self) -> None:
        """Wait for the next."""
        await self._access_changed.wait()

    def note_access_change(self) -> None:
        """Who was let in may not be any more: streams ask again, those too that have nothing to say."""
        self.access_changes += 1
        self._access_changed.set()
        self._access_changed = asyncio.Event()

    def publish(self, events: Sequence[Event]) -> None:
        """Called by the store on the loop after each commit."""
        if any(event.kind in _WHO_MAY_HEAR for event in events):
            self.note_access_change()
        self._sight_changes += sum(event.kind in _WHO_SEES_WHAT for event in events)
        if not self._subscribers:
            return
        for event in events:
            interested = [each for each in self._subscribers if event.account_id in {each.account_id, _EVERYBODY}]
            frame = event_frame(event) if interested else b""
            for subscriber in interested:
                _hand(subscriber, event, frame)


def _hand(subscriber: Subscriber, event: Event, frame: bytes) -> None:
    answer = subscriber.sight.judge(event)
    if answer is Answer.TELL:
        subscriber.put(event.id, frame)
    elif answer is Answer.MASK:
        subscriber.put(event.id, event_frame(masked(event)))
    elif answer is Answer.BEGIN_ANEW:
        subscriber.begin_anew(event.id)
    elif event.kind in _WHO_THERE_IS:
        subscriber.put(event.id, _NUDGE)


def _told(sight: Listener, page: Sequence[Event]) -> Sequence[Event] | None:
    """What is told of a page; None: the listener must begin anew."""
    answers = [sight.judge(event) for event in page]
    if Answer.BEGIN_ANEW in answers:
        return None
    told = zip(page, answers, strict=True)
    return [masked(event) if answer is Answer.MASK else event for event, answer in told if answer is not Answer.KEEP]
