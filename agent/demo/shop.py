"""The demo's source: a shop's database of 20,000 orders that keeps changing."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import datetime, timedelta
from pathlib import Path

import aiosqlite

from shared.clock import Clock

ORDERS = 20_000
PLANTED = ("Aurora storm lantern", "hand-blown storm lantern with a copper wick, burns in gale and rain for nine hours")
"""One order that nothing else resembles: what the demo searches for must come first."""
QUESTION = "a lamp that keeps burning in strong wind"

_KINDS = {
    "hiking boots": ("waterproof leather", "with a grippy rubber sole", "for rocky mountain trails"),
    "espresso machine": ("stainless steel", "with a steam wand", "for two cups of strong coffee"),
    "desk chair": ("ergonomic mesh", "with adjustable arms", "for long days at the office"),
    "wool blanket": ("soft merino", "woven in a herringbone pattern", "for cold evenings on the sofa"),
    "chef's knife": ("forged carbon steel", "with a walnut handle", "for vegetables, fish and meat"),
    "city bicycle": ("light aluminium", "with eight gears", "for the daily ride to work"),
    "headphones": ("noise cancelling", "with thirty hours of battery", "for trains and open offices"),
    "tent": ("three-season", "with a double roof", "for two people and their packs"),
    "garden hose": ("kink-free", "with brass couplings", "for lawns and flower beds"),
    "notebook": ("thread-bound", "with dotted pages", "for sketches and meeting notes"),
    "mechanical keyboard": ("hot-swappable", "with quiet tactile switches", "for writing and programming"),
    "cast iron pan": ("pre-seasoned", "with a pouring lip", "for searing steaks on any stove"),
    "rain jacket": ("breathable", "with taped seams", "for showers on the way"),
    "baby stroller": ("foldable", "with a sun canopy", "for pavements and park paths"),
    "telescope": ("five-inch reflecting", "with a motor mount", "for craters on the moon and rings of Saturn"),
    "yoga mat": ("natural cork", "with a non-slip back", "for stretching at home"),
}
_MAKERS = ("Alder", "Birch", "Cedar", "Dorn", "Elm", "Fjord", "Granite", "Harbor", "Iris", "Juniper", "Kite", "Larch")
_STATES = ("placed", "paid", "packed", "shipped", "delivered", "returned")
_SCHEMA = """
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer TEXT NOT NULL, product TEXT NOT NULL, description TEXT NOT NULL,
  quantity INTEGER NOT NULL, status TEXT NOT NULL, created_at TIMESTAMP NOT NULL, updated_at TIMESTAMP NOT NULL
);
CREATE INDEX orders_created_at ON orders (created_at);
CREATE INDEX orders_updated_at ON orders (updated_at);
"""
_INSERT = "INSERT INTO orders (customer, product, description, quantity, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"  # fmt: skip


class Shop:
    """Writes orders; `open_for_business` goes on writing until it is cancelled."""

    def __init__(self, path: Path, clock: Clock, rng: random.Random) -> None:
        self.path = path
        self._clock = clock
        self._rng = rng

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def is_stocked(self) -> bool:
        return self.path.exists()

    async def stock(self, orders: int = ORDERS) -> None:
        """Create the table with its first orders, one a minute up to now; the file is there when it is whole."""
        now = self._clock.now()
        moments = (now - timedelta(minutes=orders - number) for number in range(1, orders))
        begun = self.path.with_suffix(".begun")
        begun.unlink(missing_ok=True)
        async with aiosqlite.connect(begun) as database:
            await database.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
            await database.executemany(_INSERT, (self._order(*self._text(), moment) for moment in moments))
            await database.execute(_INSERT, self._order(*PLANTED, now - timedelta(minutes=1)))
            await database.commit()
        begun.rename(self.path)  # the last connection has taken its log in

    async def open_for_business(self) -> None:
        """Each second some orders move on and a new one comes in."""
        for _ in itertools.count():
            await asyncio.sleep(1)
            await self._trade()

    async def _trade(self) -> None:
        now = _stamp(self._clock.now())
        moved = [(self._rng.choice(_STATES), now, self._rng.randint(1, ORDERS)) for _ in range(5)]
        async with aiosqlite.connect(self.path, timeout=10) as database:
            await database.executemany("UPDATE orders SET status = ?, updated_at = ? WHERE id = ?", moved)
            await database.execute(_INSERT, self._order(*self._text(), self._clock.now()))
            await database.commit()

    def _text(self) -> tuple[str, str]:
        kind, (quality, extra, purpose) = self._rng.choice(list(_KINDS.items()))
        size = self._rng.choice(("small", "medium", "large", "compact", "family-size"))
        product = f"{self._rng.choice(_MAKERS)} {kind} {self._rng.randint(100, 999)}"
        return product, f"{size} {quality} {kind} {extra}, {purpose}; batch {self._rng.randint(1, 9999)}"

    def _order(self, product: str, description: str, at: datetime) -> tuple[str, str, str, int, str, str, str]:
        customer, quantity = f"customer-{self._rng.randint(1, 4000):04}", self._rng.randint(1, 5)
        return customer, product, description, quantity, self._rng.choice(_STATES), _stamp(at), _stamp(at)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
