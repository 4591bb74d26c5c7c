"""From a file into a knowledge base: each row once by its key, only what changed embedded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.core.wire import KnowledgeBaseGrant
from agent.resources.datasets.arrival import Arrival, opened
from agent.resources.datasets.articles import Articles, Content
from agent.resources.datasets.intake import bring_in
from agent.resources.datasets.standing import Standing
from agent.resources.knowledge.opening import OpenedBase, opened_base
from agent.resources.knowledge.relay import Relay
from agent.resources.knowledge.shares import Share, ShareIdentity, begin_share, find_share, purge_dead, swap_in
from agent.resources.knowledge.writing import Batch, Checkpoint, ShareWriter

DELETE_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Tally:
    """What a run has done to the share, over all its attempts: only what was committed."""

    changed: int = 0
    """Rows that are new, or differ from what was there."""
    unchanged: int = 0
    embedded: int = 0
    removed: int = 0

    def plus(self, batch: Batch) -> Tally:
        return replace(
            self,
            changed=self.changed + batch.changed,
            unchanged=self.unchanged + batch.unchanged,
            embedded=self.embedded + batch.embedded,
        )


def into_knowledge(
    context: RunContext,
    arrival: Arrival,
    target: KnowledgeBaseGrant,
    content: Content,
    *,
    origin: str,
    remove_missing: bool,
) -> dict[str, Any]:
    """`{"rowsImported", "errors", "firstErrors", "rowsChanged", "rowsUnchanged", "rowsRemoved", "embedded"}`.
    `remove_missing`: rows of the origin that the file does not have are removed, unless a row of it was bad."""
    with opened(context, arrival) as file, opened_base(context, target) as base:
        articles = Articles(file, arrival, content)
        share = _share(context, base, origin, content, anew=remove_missing)
        with (
            context.step("import", f"Import {arrival.name} into {target.name}"),
            Relay(writer := base.writer(share)) as relay,
        ):
            intake = KnowledgeTarget(context, writer, relay, _scope(context, arrival, content), whole=remove_missing)
            result = bring_in(
                context,
                intake,
                articles.take,
                file.records(),
                batch_size=arrival.batch_size,
                max_errors=arrival.max_errors,
            )
            intake.close()
        if remove_missing:
            with context.step("remove", "Remove what the file does not have"):
                _finish(context, intake, base, share, result)
    tally = intake.tally
    result |= {"rowsChanged": tally.changed, "rowsUnchanged": tally.unchanged, "rowsRemoved": tally.removed}
    return {**result, "embedded": tally.embedded}


class KnowledgeTarget:
    """A share as the target of an import. Rows, and how far the import is, are one transaction; the file that it was
    begun with is named beside them, for of another one nothing is passed over."""

    def __init__(self, context: RunContext, writer: ShareWriter, relay: Relay, scope: str, *, whole: bool) -> None:
        self._context = context
        self._writer = writer
        self._relay = relay
        self._scope = scope
        self._whole = whole
        self._standing = Standing()
        self.tally = Tally()

    def standing(self) -> Standing:
        stored = self._writer.checkpoint()
        if stored is not None and (stored.run_id, stored.scope) == (self._context.idempotency_key, self._scope):
            counts = json.loads(stored.counts)
            self._standing, self.tally = Standing(**counts["standing"]), Tally(**counts["tally"])
        elif self._whole:
            self._writer.save(self._checkpoint(self._standing, self.tally), forget_seen=True)
        return self._standing

    def write(self, rows: Sequence[Sequence[Any]], after: Standing) -> None:
        """Committed while the next rows are embedded; of rows with one key the last counts, as if each came alone."""
        latest = list({row.key: row for (row,) in rows}.values())
        batch = self._relay.prepare(latest)
        self._context.check_cancelled()
        tally = self.tally.plus(batch)
        done = partial(self._committed, after, tally)
        self._relay.commit(batch, latest, self._checkpoint(after, tally), done, whole=self._whole)

    def close(self) -> None:
        """All is committed."""
        self._relay.settle()

    def remove_unseen(self) -> None:
        while ids := self._writer.unseen(DELETE_ROWS):
            self._context.check_cancelled()
            self.tally = replace(self.tally, removed=self.tally.removed + len(ids))
            self._writer.delete(ids, self._checkpoint(self._standing, self.tally))

    def _committed(self, standing: Standing, tally: Tally) -> None:
        self._standing, self.tally = standing, tally

    def _checkpoint(self, standing: Standing, tally: Tally) -> Checkpoint:
        counts = json.dumps({"standing": asdict(standing), "tally": asdict(tally)})
        return Checkpoint(self._scope, None, None, self._context.idempotency_key, counts)


def _scope(context: RunContext, arrival: Arrival, content: Content) -> str:
    """What the place in the file belongs to: which file that is, and how it is read."""
    told = {"file": (context.checkpoint or {}).get("file"), "read": asdict(arrival), "content": asdict(content)}
    return json.dumps(told, sort_keys=True)


def _share(context: RunContext, base: OpenedBase, origin: str, content: Content, *, anew: bool) -> Share:
    """The origin's content; one that is made anew is built aside where the embedder changed."""
    identity = ShareIdentity(origin, base.embedder.name, base.embedder.dimensions, tuple(content.keys))
    live = find_share(base.base, origin, "live")
    if live is None:
        return begin_share(base.base, identity, "live", context.run_id, context.clock.now())
    if live.identity == identity:
        return live
    if live.identity.key_columns != identity.key_columns:
        keys = ", ".join(live.identity.key_columns)
        raise DriverError("origin", f"rows of the origin '{origin}' are told apart by {keys}; take another origin")
    if not anew:
        raise DriverError(
            "embedder_changed",
            f"rows of the origin '{origin}' were embedded by {live.identity.embedder}; import all of them with"
            " `remove_missing`, and they are made anew",
        )
    building = find_share(base.base, origin, "building")
    if building and building.identity == identity and building.made_by == context.run_id:
        return building
    return begin_share(base.base, identity, "building", context.run_id, context.clock.now())


def _finish(
    context: RunContext, intake: KnowledgeTarget, base: OpenedBase, share: Share, result: dict[str, Any]
) -> None:
    """The share is what the file is."""
    if share.state == "building" and result["errors"]:
        message = "all rows were to be made anew, and rows of the file are bad; those that were there stay"
        raise DriverError("bad_row", message, result=result)
    if result["errors"] or not result["rowsImported"]:
        why = "rows of the file are bad" if result["errors"] else "the file has no rows"
        context.warn(f"{why}: nothing is removed")
        return
    intake.remove_unseen()
    if share.state == "building":
        swap_in(base.base, share)
        with suppress(RunCancelled):  # what is dead is in nobody's way: the next run may clear it away
            purge_dead(base.base, context.check_cancelled)
