"""Errors that a person can act on."""


class MicroturnError(Exception):
    """An expected failure. Its text is one line: what is wrong, and what to do."""

    exit_status = 1


class InputError(MicroturnError):
    """The arguments or the input are wrong (exit status 2)."""

    exit_status = 2
