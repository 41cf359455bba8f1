"""``microturn key``: keeps the key of a language model server in the system's keyring."""

import argparse
import sys
from typing import Any

Subparsers = Any  # argparse's own type is private


def add(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the arguments. The key itself is never one: arguments can be seen by others."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "key",
        help="keep or forget the key of a language model server",
        description="Keeps the key of a language model server in this computer's keyring, or forgets it. "
        "The key is asked for without showing it, or read from standard input.",
    )
    parser.add_argument("action", choices=("set", "delete"), metavar="set|delete")
    parser.add_argument("server", metavar="HOST|URL", help="such as https://api.example.org/v1")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Do it and say so in one line."""
    from engine.background import keys

    host = keys.host_of(arguments.server)
    if arguments.action == "set":
        keys.save_key(host, _asked(host))
        print(f"The key for {host} is kept in the keyring ({keys.keyring_name()}).")
    elif keys.delete_key(host):
        print(f"The key for {host} is forgotten.")
    else:
        print(f"No key was kept for {host}.")
    return 0


def _asked(host: str) -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"Key for {host}: ")
    from engine.background.keys import MAX_KEY_CHARS

    return sys.stdin.readline(MAX_KEY_CHARS + 2) if sys.stdin is not None else ""
