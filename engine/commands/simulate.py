"""``microturn simulate``: hear what the model learns from."""

import argparse
from pathlib import Path
from typing import Any

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "simulate",
        help="write a scene of the training simulator as sound and timeline",
        description="Simulates a scene as training does and writes a folder: scene.wav (left the "
        "microphone, right the assistant), and a session that `microturn inspect` reads. The probabilities "
        "are the oracle's decisions; the decisions have training's mistakes mixed in.",
    )
    parser.add_argument("scene", metavar="SCENE", help="a kind of scene, or mixed; a wrong name lists them")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder to write, new or empty"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="another number, another scene")
    parser.add_argument("--seconds", metavar="S", type=float, default=60.0, help="length (default: 60)")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="folder with recorded voices and dialogues (default: none)"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Simulate one scene."""
    from engine.training.scene_files import make_scene, report

    out: Path = arguments.out
    report(make_scene(arguments.scene, out, arguments.seed, arguments.seconds, arguments.data), out)
    return 0
