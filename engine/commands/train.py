"""``microturn train``: train an interaction model."""

import argparse
from pathlib import Path
from typing import Any

from engine.errors import InputError

Subparsers = Any  # argparse's own type is private
CONFIGS = Path(__file__).resolve().parent.parent / "training" / "configs"


def shipped() -> dict[str, Path]:
    """The configs that come with the program, by name."""
    return {path.stem: path for path in sorted(CONFIGS.glob("*.toml"))}


def about(path: Path) -> str:
    """The config's first line, when it is a comment."""
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments. The help lists the shipped configs."""
    lines = [f"  {name:<12}{about(path)}".rstrip() for name, path in shipped().items()]
    parser: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train an interaction model",
        description="Trains an interaction model, from making its data to weights and their card. A run "
        "that was cut off goes on with --resume.",
        epilog="shipped configs:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", metavar="CONFIG", help="name of a shipped config, or a TOML file")
    parser.add_argument("--out", metavar="DIR", type=Path, help="folder of the run (default: runs/NAME)")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="folder with recorded voices and dialogues (default: none)"
    )
    parser.add_argument(
        "--shards",
        metavar="DIR",
        type=Path,
        help="folder of simulated conversations, shared by runs with equal [data] (default: that of the run)",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in that folder")
    return parser


def find_config(name: str) -> Path:
    """A shipped config by name, or a file.

    Raises:
        InputError: there is neither.
    """
    path = Path(name)
    if path.is_file():
        return path
    if name in shipped():
        return shipped()[name]
    known = ", ".join(shipped())
    raise InputError(f"there is no config {name!r}: give a TOML file, or one of {known}")


def run(arguments: argparse.Namespace) -> int:
    """Train."""
    config = find_config(arguments.config)
    from engine.training.run import run_training

    run_training(config, arguments.out, arguments.data, arguments.resume, arguments.shards)
    return 0
