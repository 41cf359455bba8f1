"""The command line: ``microturn COMMAND``. Opens no window and imports little before a command runs.

Exit status: 0 done; 2 the arguments or the input are wrong; 1 anything else.
An error is one line on stderr. With ``MICROTURN_DEBUG`` set, an error that
nobody foresaw is shown with its traceback.
"""

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from engine import __version__
from engine.commands import bench, demo, devices, doctor, inspect, key, replay, simulate, train
from engine.errors import InputError, MicroturnError
from engine.paths import cache_dir

COMMANDS = (replay, demo, bench, inspect, devices, doctor, key, simulate, train)


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing the usage: an error is one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands. A command's module has ``add`` and ``run``."""
    parser = _Parser(
        prog="microturn",
        description="An assistant that listens, watches and talks at the same time. "
        "Without a command it opens its window.",
        epilog="Exit status: 0 done, 2 wrong arguments or input, 1 anything else.",
    )
    parser.add_argument("--version", action="version", version=f"microturn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for module in COMMANDS:
        module.add(commands).set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (by default the program's own arguments) and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without our letters shows question marks instead of an error.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        arguments = make_parser().parse_args(argv)
        status = arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as done:  # argparse after --help and --version
        return int(done.code or 0)
    except MicroturnError as err:
        return _fail(str(err), err.exit_status)
    except KeyboardInterrupt:
        return _fail("interrupted", 1)
    except BrokenPipeError:
        # Whoever read our output has enough of it; nothing may be flushed into the closed pipe at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as err:
        if os.environ.get("MICROTURN_DEBUG"):
            raise
        return _fail(_unforeseen(err), 1)
    return int(status)


def _fail(message: str, status: int) -> int:
    print(f"microturn: {' '.join(message.split())}", file=sys.stderr)
    return status


def _unforeseen(err: Exception) -> str:
    """Write the traceback where it can be found, and say in one line what happened and where that is."""
    what = f"something went wrong that should not ({type(err).__name__}: {err})"
    try:
        log = _write_log(err)
    except OSError:
        return f"{what}; run it again with MICROTURN_DEBUG=1 to see where"
    return f"{what}; the details are in {log}"


def _write_log(err: Exception) -> Path:
    folder = cache_dir() / "log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / f"error-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    log.write_text("".join(traceback.format_exception(err)), encoding="utf-8")
    return log


if __name__ == "__main__":
    sys.exit(main())
