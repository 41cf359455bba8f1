"""The keys of language model servers, kept by the system's keyring.

For the engine's side and the command line: the worker gets its key through the
pipe. The keyring's library is imported when a key is asked for.
"""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from engine.background.settings import BackgroundSettings
from engine.errors import InputError, MicroturnError

SERVICE = "microturn"
MAX_KEY_CHARS = 2_000
_NO_KEYRING = "this computer has no keyring that keeps keys; set MICROTURN_API_KEY instead"
_HOST = re.compile(r"[a-z0-9._:%-]{1,253}")


def host_of(address: str) -> str:
    """The host of a web address, or of what is a host already, in lower case and without port.

    Raises:
        InputError: it is neither.
    """
    text = address.strip()
    if "//" not in text:
        text = f"//[{text}]" if text.count(":") > 1 and not text.startswith("[") else f"//{text}"
    try:
        host = (urlsplit(text).hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if not text.isprintable() or not _HOST.fullmatch(host):
        raise InputError("the server is a host or a web address, such as https://api.example.org/v1")
    return host


def save_key(host: str, key: str) -> None:
    """Keep the key of a server, in place of the one kept before.

    Raises:
        InputError: it can be no key.
        MicroturnError: there is no keyring, or it refuses.
    """
    key = key.strip()
    if not key:
        raise InputError("there is no key to keep; give it when asked, or on standard input")
    if len(key) > MAX_KEY_CHARS or not (key.isascii() and key.isprintable()) or " " in key:
        raise InputError("this is no key: a key is one line of letters, digits and signs")
    ring = _ring()
    try:
        ring.set_password(SERVICE, host, key)
    except Exception as err:  # noqa: BLE001 - each system's keyring raises its own
        raise MicroturnError(_refused(err)) from None


def load_key(host: str) -> str:
    """The key kept for a server, empty when there is none. May wait until the user unlocks the keyring."""
    try:
        return (_ring().get_password(SERVICE, host) or "").strip()[:MAX_KEY_CHARS]
    except Exception:  # noqa: BLE001 - without a key the server says what it lacks
        return ""


def delete_key(host: str) -> bool:
    """Forget the key of a server; False when none was kept.

    Raises:
        MicroturnError: there is no keyring, or it refuses.
    """
    ring = _ring()
    try:
        if ring.get_password(SERVICE, host) is None:
            return False
        ring.delete_password(SERVICE, host)
    except Exception as err:  # noqa: BLE001 - each system's keyring raises its own
        raise MicroturnError(_refused(err)) from None
    return True


def keyring_name() -> str:
    """What keeps the keys on this computer, empty when nothing does. Asks for no key."""
    try:
        ring = _ring()
    except MicroturnError:
        return ""
    return " ".join(str(getattr(ring, "name", "") or type(ring).__name__).split())[:60]


def with_key(settings: BackgroundSettings) -> BackgroundSettings:
    """``settings`` with the key kept for its server, where it has a server and no key."""
    if not settings.base_url or settings.api_key:
        return settings
    try:
        return replace(settings, api_key=load_key(host_of(settings.base_url)))
    except InputError:
        return settings


def _ring() -> Any:
    """The system's keyring.

    Raises:
        MicroturnError: there is none.
    """
    try:
        import keyring
        import keyring.backends.fail
        import keyring.backends.null

        ring = keyring.get_keyring()
    except Exception as err:  # a broken keyring is as good as none
        raise MicroturnError(_NO_KEYRING) from err
    if isinstance(ring, (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)):
        raise MicroturnError(_NO_KEYRING)
    return ring


def _refused(err: Exception) -> str:
    # Its own words are left out: they might hold what was to be kept.
    return f"the keyring of this computer refused ({type(err).__name__}); unlock it, or set MICROTURN_API_KEY"
