"""Which version this is."""

from importlib.metadata import PackageNotFoundError, metadata


def version() -> str:
    """The installed package's version; ``unknown`` in a copy that was never installed."""
    try:
        return metadata("microturn")["Version"]
    except PackageNotFoundError:
        return "unknown"
