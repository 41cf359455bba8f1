"""``microturn inspect``: the summary or an export of a recorded session."""

import argparse
from pathlib import Path
from typing import Any

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
    parser.add_argument(
        "--export",
        nargs=2,
        metavar=("FORMAT", "FILE"),
        help="write the session in this format; - as FILE is stdout (text formats)",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print or export."""
    from engine.recorder.reader import read_session

    session = read_session(arguments.session)
    if arguments.export:
        from engine.inspect.export import export

        export(session, *arguments.export)
    else:
        from engine.inspect.summary import summary

        print(summary(session))
    return 0
