"""``microturn replay``: feed a recording through the whole engine."""

import argparse
from pathlib import Path
from typing import Any

from engine.commands.progress import ProgressBar
from engine.config import DEFAULT_VOICE, MAX_SPEED, MIN_SPEED, EngineConfig, Temperament, read_temperament
from engine.errors import InputError

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay",
        help="feed a recording through the whole engine and write the session",
        description="Feeds a recording through the whole engine, background process included, and writes "
        "the session into a folder.",
    )
    parser.add_argument(
        "input",
        metavar="INPUT",
        help="a sound file of any common format and rate, mixed down to mono; or silence:SECONDS",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="new or empty folder for the session"
    )
    parser.add_argument("--video", metavar="FILE", type=Path, help="a video as the camera")
    parser.add_argument(
        "--text",
        metavar="FILE",
        type=Path,
        help='words typed at given times: lines of {"t": 1.5, "text": "…"}',
    )
    parser.add_argument(
        "--engine", metavar="NAME", default="micro", help="interaction engine (default: micro)"
    )
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="seed of all chance (default: 0)")
    parser.add_argument(
        "--temperament",
        metavar="LIST",
        type=temperament,
        default=Temperament(),
        help="bias on the model's scores in nats, -3 to 3: interrupt, backchannel, give_way; "
        "such as interrupt=+0.5,backchannel=-1",
    )
    parser.add_argument(
        "--voice", metavar="NAME", default=DEFAULT_VOICE, help=f"voice (default: {DEFAULT_VOICE})"
    )
    parser.add_argument(
        "--speed",
        metavar="X",
        type=float,
        default=1.0,
        help=f"of speech, {MIN_SPEED} to {MAX_SPEED} (default: 1)",
    )
    parser.add_argument(
        "--pace",
        choices=("fast", "real"),
        default="fast",
        help="fast: as quickly as the computer can, with honest delays; real: against the wall clock "
        "(default: fast)",
    )
    return parser


def seed(text: str) -> int:
    """A whole number from 0 to 2**32 - 1."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to {2**32 - 1}")
    return int(text)


def temperament(text: str) -> Temperament:
    """``interrupt=+0.5,backchannel=-1`` and its kind."""
    try:
        return read_temperament(text)
    except InputError as err:
        raise argparse.ArgumentTypeError(str(err)) from None


def run(arguments: argparse.Namespace) -> int:
    """Replay, then print the result in a few lines."""
    from engine.replay import run_replay

    config = EngineConfig(
        engine=arguments.engine,
        seed=arguments.seed,
        temperament=arguments.temperament,
        voice=arguments.voice,
        speed=arguments.speed,
    )
    with ProgressBar("replaying") as progress:
        result = run_replay(
            arguments.input,
            arguments.out,
            video=arguments.video,
            text=arguments.text,
            config=config,
            pace=arguments.pace,
            progress=progress,
        )
    decisions = ", ".join(f"{name} {count}" for name, count in sorted(result.decisions.items()))
    print(
        f"{result.duration_s:.1f} s of conversation in {result.wall_s:.1f} s ({result.speed:.1f} x real time)"
    )
    print(f"decisions: {decisions}")
    print(
        f"compute: median {result.compute_median_ms:.1f} ms, p99 {result.compute_p99_ms:.1f} ms, "
        f"max {result.compute_max_ms:.1f} ms; {result.deadlines_missed or 'no'} missed deadlines"
    )
    for what in result.faults:
        print(f"fault: {what}")
    print(f"session: {result.path}")
    return 0
