"""A Textual app that writes only the cells that changed."""

from __future__ import annotations

from typing import Any

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, CompositorUpdate
from textual.app import App, ReturnType
from textual.driver import Driver
from textual.screen import Screen

from console.display.painter import Painter
from console.display.quiet import still

_RETRY_AFTER = 0.05


class DiffApp(App[ReturnType]):
    """Replaces the last step of drawing: the compositor's update is laid over the frame before, and the difference is
    sent. Inline and web drivers, and anything odd, take Textual's own path. While the line is slower than the frames,
    frames are skipped, never queued: what is sent next is the difference to the newest.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._painter = Painter()
        self._is_emit_due = False

    def get_driver_class(self) -> type[Driver]:
        """One that reads esc as a key of its own, where Textual would take its own for terminals (TEXTUAL_DRIVER may
        name another)."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from console.display.escape import EscapeDriver

        return EscapeDriver

    def redraw(self) -> None:
        """Clear the terminal and write the whole frame: for when something else wrote over it."""
        self._painter.forget()
        self._emit()

    def on_resize(self, _event: events.Resize) -> None:
        """A resize (also sent after a suspension) leaves the terminal's content unknown."""
        self._painter.forget()
        self.call_after_refresh(self._emit)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        still(event.widget)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if not self._can_diff(renderable):
            self._display_whole(screen, renderable)
            return
        assert isinstance(renderable, CompositorUpdate)
        try:
            self._take(screen, renderable)
            self._emit()
        except Exception as error:
            self.log.error(f"cell output fell back: {error!r}")
            self._painter = Painter()
            super()._display(screen, renderable)
        else:
            self.post_display_hook()

    def _can_diff(self, renderable: RenderableType | None) -> bool:
        return isinstance(renderable, CompositorUpdate) and not self._batch_count and self._is_drawing()

    def _is_drawing(self) -> bool:
        driver = self._driver
        if driver is None or self.is_headless or driver.is_inline or driver.is_web:
            return False
        return self._running and not self._closed

    def _display_whole(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if renderable is not None and not self._batch_count:
            self._painter.forget()
        super()._display(screen, renderable)

    def _take(self, screen: Screen[Any], update: CompositorUpdate) -> None:
        size = (screen.outer_size.width, screen.outer_size.height)
        if isinstance(update, ChopsUpdate) and not self._painter.knows(size):
            update = screen._compositor.render_full_update()
        self._painter.take(update, size, self._colors)

    @property
    def _colors(self) -> ColorSystem:
        return self.console._color_system or ColorSystem.TRUECOLOR

    def _emit(self) -> None:
        if not self._is_drawing():
            return
        if self._is_line_busy():
            self._emit_later()
            return
        assert self._driver is not None
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        output = self._painter.emit((cursor.x, cursor.y), synchronized=self._sync_available)
        self._previous_cursor_position = cursor
        if output:
            self._driver.write(output)
            self._driver.flush()

    def _is_line_busy(self) -> bool:
        """True while the driver's writer still holds an earlier frame (unknown to other drivers: never busy)."""
        queue = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        return queue is not None and queue.qsize() > 0

    def _emit_later(self) -> None:
        if self._is_emit_due:
            return
        self._is_emit_due = True
        self.set_timer(_RETRY_AFTER, self._emit_now)

    def _emit_now(self) -> None:
        self._is_emit_due = False
        self._emit()
