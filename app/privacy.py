"""What a person is told about where their words go. Plain Python."""

from urllib.parse import urlsplit

from app.text import one_line

AI = "You are talking with an AI."
LOCAL = "Your voice and camera pictures stay on this computer."
_HERE = ("localhost", "127.0.0.1", "::1", "")


def privacy_text(server: str, sends_pictures: bool = False) -> str:
    """``server``: base URL of the language model in use; empty for the built-in one."""
    host = elsewhere(server)
    if not host:
        return f"{AI} {LOCAL}"
    what = "and a picture go" if sends_pictures else "go"
    return f"{AI} Your voice stays on this computer; the words of your questions {what} to {host}."


def where_words_go(told: str) -> str:
    """A privacy text beside others that say already that this is an AI."""
    return told.removeprefix(AI).strip()


def sharing_text(server: str) -> str:
    """What is said about files that the person shares."""
    host = elsewhere(server)
    rule = "Shared: only these files can be read"
    return f"{rule}; what is read from them goes to {host}." if host else f"{rule}, and they stay here."


def elsewhere(server: str) -> str:
    """The name of a server on another computer; empty for this one."""
    try:
        host = urlsplit(server).hostname or ""
    except ValueError:
        host = server
    return "" if host in _HERE else one_line(host, 80)
