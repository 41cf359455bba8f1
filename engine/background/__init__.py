"""The background mind: protocol, supervising client, worker process."""

from collections.abc import Sequence

from engine.background.settings import BackgroundSettings

WORKER_FLAG = "--background-worker"


def check(settings: BackgroundSettings | None = None) -> list[tuple[str, bool, str]]:
    """(what, whether it is well, what to know or do) for each part; quick and without network."""
    from engine.background.doctor import check_parts

    return check_parts(settings)


def run_worker_if_asked(arguments: Sequence[str]) -> None:
    """Become the background process when the (frozen) application was started as one; then never returns.

    ``arguments``: the command line without the program's name. To be called
    before anything is imported that the worker does not need.
    """
    if arguments and arguments[0] == WORKER_FLAG:
        from engine.background.worker import main

        main(arguments[1:])
