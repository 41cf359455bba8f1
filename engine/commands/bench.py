"""``microturn bench``: the interactivity benchmark."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from engine.commands.progress import ProgressBar
from engine.commands.replay import seed

Subparsers = Any  # argparse's own type is private
MAX_FAULTS = 20


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="run the interactivity benchmark and print one table, engines side by side",
        description="Runs the interactivity benchmark and prints one table, engines side by side: each "
        "figure with its 95 % interval and its number of cases.",
    )
    parser.add_argument(
        "--engine",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        help="engines to run, never-speaks and never-stops among them (default: all)",
    )
    parser.add_argument(
        "--only", metavar="TASK", nargs="+", action="extend", default=[], help="tasks to run (default: all)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure and every case there")
    parser.add_argument(
        "--cases", metavar="N", type=count, default=24, help="cases of each task (default: 24)"
    )
    parser.add_argument(
        "--data", metavar="DIR", type=Path, help="folder with human voices, which are reported apart"
    )
    parser.add_argument("--split", metavar="SPLIT", default="test", help="test or validation (default: test)")
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="seed of the cases (default: 0)")
    parser.add_argument(
        "--model", metavar="FILE", type=Path, help="weights of the micro engine (default: the shipped ones)"
    )
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the processor time of computing, not wall-clock time: for a computer that is busy with "
        "other things",
    )
    return parser


def count(text: str) -> int:
    """A whole number from 1 to 10,000."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 10000")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmark, print the table, write the JSON."""
    from engine.bench.cases import TASKS
    from engine.bench.report import check_writable, summarise, table, write_json
    from engine.bench.suite import Options, check, run_bench

    options = Options(
        engines=tuple(arguments.engine),
        tasks=tuple(dict.fromkeys(arguments.only)) or TASKS,
        cases=arguments.cases,
        split=arguments.split,
        seed=arguments.seed,
        data=arguments.data,
        weights=arguments.model,
        cpu_time=arguments.cpu_time,
    )
    check(options)
    if arguments.json is not None:
        check_writable(arguments.json)
    with ProgressBar("benchmark") as progress:
        results = run_bench(options, progress)
    faults = Counter((case.engine, what) for case in results.cases for what in case.faults)
    for (engine, what), times in faults.most_common(MAX_FAULTS):
        print(f"fault, {times} times with {engine}: {what}", file=sys.stderr)
    summary = summarise(results)
    print(table(results, summary))
    if arguments.json is not None:
        write_json(results, summary, arguments.json)
    return 0
