"""The window's options. Needs no Qt, so that the help text can show them."""

import argparse
from pathlib import Path
from typing import NoReturn

from engine.errors import InputError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see microturn --help")


def parser() -> argparse.ArgumentParser:
    """The window's options, also for the help text."""
    made = _Parser(prog="microturn", description="Opens the window.", add_help=False, allow_abbrev=False)
    made.add_argument("--input", metavar="NAME", help="microphone to use: its name, or a part of it")
    made.add_argument("--output", metavar="NAME", help="loudspeaker to use: its name, or a part of it")
    made.add_argument("--camera", metavar="NAME", help="camera to use: number, name, video file, or none")
    made.add_argument(
        "--record", metavar="DIR", type=Path, help="record each session into a new folder in DIR"
    )
    made.add_argument("--open", metavar="SESSION", type=Path, help="show a recorded session")
    made.add_argument("--start", action="store_true", help="begin to listen at once")
    made.add_argument("--quit-after", metavar="SECONDS", type=float, help=argparse.SUPPRESS)
    return made
