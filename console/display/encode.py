"""From one frame to the next in as few bytes as it takes."""

from __future__ import annotations

from console.display.frame import Frame, has_certain_width
from console.display.pen import PLAIN, Pen, change_pen, looks_blank_alike

_LONGEST_BRIDGE = 16
_ERASE_PAYS_FROM = 6

Place = tuple[int, int]


def encode_difference(shown: Frame, wanted: Frame) -> str:
    """What makes a terminal that shows `shown` show `wanted`; empty when nothing changed.

    Trusts neither cursor nor pen at its start, and leaves the pen plain.
    """
    writer = _Writer(wanted)
    for y in range(wanted.height):
        writer.write_row(y, _changed_runs(shown, wanted, y))
    return writer.finish()


def move_cursor(now: Place | None, to: Place) -> str:
    """The shortest sequence from `now` (None: unknown) to `to`, both as (x, y) from zero."""
    x, y = to
    moves = [_absolute(x, y)]
    if now is not None:
        moves.extend(_relative(*now, x, y))
    return min(moves, key=len)


def _absolute(x: int, y: int) -> str:
    if x == 0:
        return f"\x1b[{y + 1}H" if y else "\x1b[H"
    return f"\x1b[{y + 1};{x + 1}H"


def _relative(from_x: int, from_y: int, x: int, y: int) -> list[str]:
    if from_y == y:
        return ["\r" + _by(x, "C"), _by(x - from_x, "C") if x >= from_x else _by(from_x - x, "D"), f"\x1b[{x + 1}G"]
    if from_x == x:
        return [_by(y - from_y, "B") if y > from_y else _by(from_y - y, "A")]
    return ["\r\n" * (y - from_y) + _by(x, "C")] if y > from_y else []


def _by(count: int, direction: str) -> str:
    if count == 0:
        return ""
    return f"\x1b[{direction}" if count == 1 else f"\x1b[{count}{direction}"


def _changed_runs(shown: Frame, wanted: Frame, y: int) -> list[tuple[int, int]]:
    old, new, old_pens, new_pens = shown.characters[y], wanted.characters[y], shown.pens[y], wanted.pens[y]
    if old == new and old_pens == new_pens:
        return []
    runs: list[tuple[int, int]] = []
    x, width = 0, wanted.width
    while x < width:
        if old[x] == new[x] and old_pens[x] == new_pens[x]:
            x += 1
            continue
        start = x - 1 if new[x] == "" else x
        while x < width and (old[x] != new[x] or old_pens[x] != new_pens[x] or new[x] == ""):
            x += 1
        runs.append((start, x))
    return runs


class _Writer:
    """Collects output, knowing where the cursor is and which pen it has. Pen and place are unknown at first."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._parts: list[str] = []
        self._pen = PLAIN
        self._place: Place | None = None

    def write_row(self, y: int, runs: list[tuple[int, int]]) -> None:
        blank_from = self._blank_tail(y) if runs else 0
        for start, end in runs:
            erase_from = max(start, blank_from)
            if end > blank_from and runs[-1][1] - erase_from >= _ERASE_PAYS_FROM:
                self._write_run(y, start, erase_from)
                self._erase(y, erase_from)
                return
            self._write_run(y, start, end)

    def _write_run(self, y: int, start: int, end: int) -> None:
        if not self._parts:
            self._parts.append("\x1b[m")
        if start < end:
            self._approach(y, start)
            self._write_cells(y, start, end)

    def _erase(self, y: int, start: int) -> None:
        if self._place != (start, y):
            self._parts.append(move_cursor(self._place, (start, y)))
        self._parts.append(change_pen(self._pen, PLAIN) + "\x1b[K")
        self._pen, self._place = PLAIN, (start, y)

    def finish(self) -> str:
        self._parts.append(change_pen(self._pen, PLAIN))
        return "".join(self._parts)

    def _approach(self, y: int, x: int) -> None:
        move = move_cursor(self._place, (x, y))
        if bridge := self._bridge(y, x):
            text, pen = bridge
            next_pen = self._frame.pens[y][x]
            if _cost(text + change_pen(pen, next_pen)) <= _cost(move + change_pen(self._pen, next_pen)):
                self._parts.append(text)
                self._pen, self._place = pen, (x, y)
                return
        self._parts.append(move)
        self._place = (x, y)

    def _bridge(self, y: int, x: int) -> tuple[str, Pen] | None:
        """The unchanged cells between the cursor and column `x`, drawn again, if they are few."""
        if self._place is None or self._place[1] != y or not 0 < x - self._place[0] <= _LONGEST_BRIDGE:
            return None
        start = self._place[0]
        if not all(map(has_certain_width, self._frame.characters[y][start:x])):
            return None
        return self._draw(y, start, x)

    def _blank_tail(self, y: int) -> int:
        """The column from which the row is plain blanks to its end."""
        characters, pens = self._frame.characters[y], self._frame.pens[y]
        x = self._frame.width
        while x and characters[x - 1] == " " and pens[x - 1] == PLAIN:
            x -= 1
        return x

    def _write_cells(self, y: int, start: int, end: int) -> None:
        text, self._pen = self._draw(y, start, end)
        self._parts.append(text)
        # In the last column terminals differ: the cursor stays, or waits to wrap.
        self._place = (end, y) if end < self._frame.width else None

    def _draw(self, y: int, start: int, end: int) -> tuple[str, Pen]:
        characters, pens, pen = self._frame.characters[y], self._frame.pens[y], self._pen
        parts: list[str] = []
        for x in range(start, end):
            cell, wanted = characters[x], pens[x]
            if pen is not wanted and not (cell == " " and looks_blank_alike(pen, wanted)):
                parts.append(change_pen(pen, wanted))
                pen = wanted
            parts.append(cell)
            if cell and not has_certain_width(cell):
                parts.append(self._step_over(x, y))
        return "".join(parts), pen

    def _step_over(self, x: int, y: int) -> str:
        """Set the column anew after a cell whose width terminals disagree on."""
        after = x + 1
        while after < self._frame.width and self._frame.characters[y][after] == "":
            after += 1
        return f"\x1b[{after + 1}G"


def _cost(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
