"""``microturn demo``: replay the bundled conversation."""

import argparse
from pathlib import Path
from typing import Any

from engine.commands.progress import ProgressBar

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="replay the bundled demo conversation",
        description="Replays the bundled demo conversation, prints the decisions as they fall, and "
        "writes the session with a picture of its timeline.",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="new or empty folder for the session (default: a new one in your data folder)",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Play the demo."""
    from engine.demo import run_demo

    with ProgressBar("playing the demo") as progress:

        def write(line: str) -> None:
            progress.hide()
            print(line, flush=True)

        run_demo(write, arguments.out, progress=progress)
    return 0
