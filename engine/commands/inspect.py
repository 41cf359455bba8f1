"""``microturn inspect``: the summary or an export of a recorded session."""

import argparse
from pathlib import Path
from typing import Any

from engine.errors import InputError

Subparsers = Any  # argparse's own type is private

FORMATS = {
    "jsonl": "the timeline as it was recorded, damage left out",
    "csv": "a table with a row for each micro-turn",
    "chrome-trace": "for ui.perfetto.dev and chrome://tracing",
    "audacity": "a label track for Audacity",
    "textgrid": "tiers for Praat",
    "webvtt": "captions",
    "flac": "both voices in stereo: left the user, right the assistant",
    "png": "a picture of the timeline",
    "svg": "the same picture, scalable",
}


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "inspect",
        help="print a session's summary, or export its timeline",
        description="Prints a session's summary, or exports its timeline.",
        epilog="formats:\n" + "\n".join(f"  {name:<14}{text}" for name, text in FORMATS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("session", metavar="SESSION", type=Path, help="folder of a recorded session")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--marks", action="store_true", help="list all marks, with their verdicts")
    what.add_argument(
        "--at", metavar="SECONDS", type=float, help="one micro-turn in full: what went in and what came out"
    )
    what.add_argument(
        "--compare", metavar="OTHER", type=Path, help="lay another session of the same recording over it"
    )
    what.add_argument(
        "--mark", nargs=2, metavar=("SECONDS", "NOTE"), help="put a mark into the session, and save it"
    )
    what.add_argument(
        "--export",
        nargs=2,
        metavar=("FORMAT", "FILE"),
        help="write the session in this format; - as FILE is stdout (text formats)",
    )
    parser.add_argument("--verdict", metavar="NAME", default="", help="verdict of the new mark")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print, mark or export."""
    if arguments.mark:
        seconds, note = arguments.mark
        return _mark(arguments.session, seconds, note, arguments.verdict)
    if arguments.verdict:
        raise InputError("--verdict belongs to a new mark: give --mark SECONDS NOTE as well")
    from engine.recorder.reader import read_session

    session = read_session(arguments.session)
    if arguments.export:
        from engine.inspect.export import export

        export(session, *arguments.export)
    elif arguments.compare:
        from engine.inspect.compare import compare, report

        other = read_session(arguments.compare)
        print(report(compare(session, other), str(session.path), str(other.path)))
    elif arguments.at is not None:
        from engine.inspect.turn_text import turn_at, turn_text

        print(turn_text(turn_at(session, arguments.at)))
    else:
        from engine.inspect.summary import marks, summary

        print(marks(session) if arguments.marks else summary(session))
    return 0


def _mark(folder: Path, seconds: str, note: str, verdict: str) -> int:
    from engine.recorder.marks import VERDICTS, add_marks, made_mark
    from engine.recorder.reader import read_session

    names = [known.name for known in VERDICTS]
    if verdict and verdict not in names:
        raise InputError(f"there is no verdict {verdict!r}: use one of {', '.join(names)}")
    try:
        t = float(seconds)
    except ValueError:
        t = -1.0
    session = read_session(folder)
    if not 0 <= t <= session.duration:
        raise InputError(
            f"{seconds!r} is no second of this session: give one from 0 to {session.duration:.1f}"
        )
    add_marks(session.path, [made_mark(t, note, verdict)])
    return 0
