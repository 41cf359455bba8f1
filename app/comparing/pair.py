"""Two sessions read, laid over each other and compared. Plain Python; slow, for a worker thread."""

from dataclasses import dataclass
from pathlib import Path

from app.document import Document, recorded_document
from app.text import one_line
from engine.config import CHUNK_S
from engine.inspect.compare import Comparison, Difference, compare, moved
from engine.inspect.summary import clock
from engine.recorder.reader import read_session

COLUMNS = ("Time", "For", "First", "Second", "What", "Apart")


@dataclass(frozen=True)
class Pair:
    """Two sessions on one time axis, the first one's, and what is different."""

    first: Document
    second: Document
    found: Comparison

    @property
    def note(self) -> str:
        """What is to be known before believing the comparison."""
        found = self.found
        if not found.same_recording:
            return "These sessions do not seem to be of the same recording: compare with care."
        if found.shift:
            return f"The second session was moved by {found.shift * CHUNK_S:+.1f} s to lie on the first."
        return ""

    @property
    def headline(self) -> str:
        """Agreement in one line."""
        found = self.found
        count = len(found.differences)
        return (
            f"{100 * found.agreement:.1f} % of {found.turns} micro-turns decided alike, "
            f"{count} difference{'' if count == 1 else 's'}"
        )


def read_pair(first: Path, second: Path) -> Pair:
    """Read and compare two session folders.

    Raises:
        InputError: one cannot be read, or there is nothing to compare.
    """
    one, other = read_session(first), read_session(second)
    found = compare(one, other)
    return Pair(recorded_document(one), recorded_document(moved(other, found.shift)), found)


def cells(difference: Difference) -> tuple[str, ...]:
    """A line of the table of differences, in the order of ``COLUMNS``."""
    return (
        clock(difference.t0)[:-1],
        f"{difference.t1 - difference.t0:.1f} s",
        difference.first,
        difference.second,
        difference.kind,
        f"{difference.distance:.2f}",
    )


def of_kind(differences: tuple[Difference, ...], kind: str) -> tuple[Difference, ...]:
    """Those of one kind; all of them for an empty kind."""
    return tuple(d for d in differences if kind in ("", d.kind))


def as_text(pair: Pair) -> str:
    """Figures and differences as tab-separated lines, to be pasted into a table."""
    lines = [pair.headline, ""]
    lines += ["\t".join(("", pair.first.title, pair.second.title))]
    lines += [
        "\t".join((row.name, one_line(row.first, 80), one_line(row.second, 80))) for row in pair.found.rows
    ]
    lines += ["", "\t".join(COLUMNS), *("\t".join(cells(d)) for d in pair.found.differences)]
    return "\n".join(lines)
