"""A progress bar on stderr, where that is a terminal."""

import sys
import time
from types import TracebackType
from typing import Self

_WIDTH = 30
_EVERY_S = 0.1


class ProgressBar:
    """Shows seconds done of a whole that may be unknown. Silent where stderr is no terminal.

    Used as a context manager: at the end the bar is wiped away. Call ``hide``
    before printing to the same terminal.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._last = float("-inf")
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    def __call__(self, done: float, total: float | None) -> None:
        """Show ``done`` of ``total`` seconds, at most ten times a second."""
        now = time.monotonic()
        if not self._terminal or now - self._last < _EVERY_S:
            return
        self._last = now
        self._shown = True
        sys.stderr.write(f"\r\x1b[K{self.line(done, total)}")
        sys.stderr.flush()

    def line(self, done: float, total: float | None) -> str:
        """The bar's text."""
        if not total:
            return f"{self._what} {done:.1f} s"
        filled = round(_WIDTH * min(1.0, done / total))
        bar = "#" * filled + "-" * (_WIDTH - filled)
        return f"{self._what} [{bar}] {done:.1f} of {total:.1f} s"

    def hide(self) -> None:
        """Wipe the bar away; the next call draws it again."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
            self._last = float("-inf")
