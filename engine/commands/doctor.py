"""``microturn doctor``: what this computer has, what it lacks, and how to get it."""

import argparse
from typing import Any

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments: there are none."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="check this computer and say what is missing and how to get it",
        description="Checks this computer and says in plain words what is missing and how to get it.",
        epilog="Exit status: 0 nothing needed is missing, 1 something is.",
    )
    return parser


def run(_arguments: argparse.Namespace) -> int:
    """Print a line for each check as it is made."""
    from engine.doctor import examine

    missing = 0
    for check in examine():
        missing += check.state == "missing"
        print(f"{check.state:<8} {check.name:<24} {check.text}", flush=True)
        if check.fix:
            print(f"{'':<33} to do: {check.fix}", flush=True)
    print()
    print("Nothing needed is missing." if not missing else f"Missing: {missing} of the things needed.")
    return 1 if missing else 0
