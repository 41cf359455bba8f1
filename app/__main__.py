"""The program's entry: the window, or a command without loading Qt."""

import multiprocessing
import sys
from collections.abc import Sequence

from engine import __version__
from engine.background import run_worker_if_asked


def is_for_window(arguments: Sequence[str]) -> bool:
    """Commands are words; the window has options only."""
    return not arguments or (arguments[0].startswith("-") and not {"-h", "--help"} & set(arguments))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (by default the program's own arguments) and return the exit status."""
    # A frozen program starts its own child processes through this same entry.
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    run_worker_if_asked(arguments)
    if arguments == ["--version"]:
        sys.stdout.write(f"microturn {__version__}\n")
        return 0
    if arguments in (["-h"], ["--help"]):
        return _help()
    if is_for_window(arguments):
        from app.window import run

        return run(arguments)
    from engine.cli import main as command_line

    return command_line(arguments)


def _help() -> int:
    from app.options import parser
    from engine.cli import main as command_line

    status = command_line(["--help"])
    listed = parser().format_help().partition("options:")[2]
    sys.stdout.write(f"\nwindow:{listed}")
    return status


if __name__ == "__main__":
    sys.exit(main())
