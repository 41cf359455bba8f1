"""What went wrong with a server, in words: one short sentence to say, one line of advice. Never the key."""

import contextlib
import difflib
import json
import math
import re
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from engine.background.failure import JobError
from engine.background.spoken import strip_invisible

PASSING = (408, 409, 425, 429)
MAX_WAIT_S = 7 * 24 * 3600.0
_NOTE_CHARS = 160
_KEY_PIECE = 6
_NAMED = {
    "limit": re.compile(r"max_completion_tokens"),
    "reasoning": re.compile(r"reasoning[_. ]?effort|support (?:thinking|reasoning)"),
    "tools": re.compile(
        r"tool.{0,80}(?:support|requir|enabl|unknown|unrecogni[sz]ed|not permitted|extra)"
        r"|(?:support|requir|enabl|unknown|unrecogni[sz]ed|not permitted|extra).{0,80}tool",
        re.DOTALL,
    ),
    "images": re.compile(r"image|vision|multi-?modal|mmproj"),
}
_NO_MODEL = re.compile(
    r"model.{0,120}(?:not exist|not found|not valid|is invalid|not available)"
    r"|(?:unknown|invalid|no such) model",
    re.DOTALL,
)


class PassingError(Exception):
    """The request may succeed if it is sent again, after ``wait_s`` if the server says when."""

    def __init__(self, failure: JobError, wait_s: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.wait_s = wait_s


class UnwillingError(Exception):
    """The server does not take a part of the request: limit, reasoning, tools or images.

    ``sure``: it says so itself.
    """

    def __init__(self, part: str, failure: JobError, sure: bool) -> None:
        super().__init__(part)
        self.part = part
        self.failure = failure
        self.sure = sure


class NoModelError(Exception):
    """The server seems not to know the model."""


def note(body: Any, key: str) -> str:
    """What the server says is wrong, as the end of an advice; empty where it says nothing or the key."""
    if isinstance(body, str):
        with contextlib.suppress(ValueError, RecursionError):
            body = json.loads(body)
    for name in ("error", "message", "detail"):
        if isinstance(body, Mapping) and body.get(name):
            body = body[name]
    if not isinstance(body, str):
        return ""
    text = " ".join(strip_invisible(body).split())[:_NOTE_CHARS]
    pieces = {key[i : i + _KEY_PIECE] for i in range(max(1, len(key) - _KEY_PIECE + 1))} if key else set()
    return f": {text}" if text and not any(piece in text for piece in pieces) else ""


def refused(
    status: int, headers: Mapping[str, str], body: str, *, where: str, key: str, parts: Collection[str]
) -> Exception:
    """For an HTTP status that is no success. ``parts``: what the request had that not every server takes."""
    lower = body.lower()
    said = f"{where}: HTTP {status}{note(body, key)}"
    failure = JobError("My language server reports an error.", said)
    if 300 <= status < 400:
        return JobError(
            "My language server has moved.",
            f"{where} sends on to another address, which is not followed: correct MICROTURN_BASE_URL",
        )
    if status in (401, 403):
        return _key_failure(where, key)
    if status == 402 or "insufficient_quota" in lower:
        return JobError("My language server's account is used up.", f"{said}; see to the account's payment")
    if "content_filter" in lower or "content management policy" in lower:
        return filtered(where)
    if status == 404 or (status in (400, 422) and _NO_MODEL.search(lower)):
        return NoModelError()
    if status == 413:
        return JobError("That is too much for my language server.", said)
    if status in (400, 415, 422, 500, 501):
        for part, pattern in _NAMED.items():
            if part in parts and pattern.search(lower):
                return UnwillingError(part, failure, sure=True)
        if status in (400, 415, 422) and "images" in parts:
            return UnwillingError("images", failure, sure=False)
    if status in PASSING or status >= 500:
        wait_s = retry_after(headers) if status in (429, 503) else None
        if status in (429, 503):
            failure = busy(where, status, wait_s)
        return PassingError(failure, wait_s)
    return failure


def _key_failure(where: str, key: str) -> JobError:
    how = f"microturn key set {where}, or MICROTURN_API_KEY"
    if key:
        return JobError(
            "My language server refused the key.",
            f"{where} refused the key: check it, or give another: {how}",
        )
    return JobError("My language server wants a key.", f"{where} wants a key: {how}")


def no_model(where: str, model: str, names: tuple[str, ...]) -> JobError:
    """``names``: the models it has, empty when it does not say."""
    say = "My language server does not know this model."
    if not names:
        return JobError(
            say,
            f"{where} has no model {model!r} or no chat at this address: check MICROTURN_MODEL and "
            "MICROTURN_BASE_URL, which mostly ends in /v1",
        )
    if model in names:
        return JobError(
            "My language server does not answer at this address.",
            f"{where} lists {model!r}, but has no chat at this address: check MICROTURN_BASE_URL",
        )
    alike = difflib.get_close_matches(model, names, 3, 0.3)
    best = [*alike, *(name for name in names if name not in alike)][:3]
    listed = ", ".join(" ".join(strip_invisible(name).split())[:60] for name in best)
    return JobError(say, f"{where} has no model {model!r}; it has {listed}: set MICROTURN_MODEL")


def filtered(where: str) -> JobError:
    """Its content filter held the answer back."""
    return JobError(
        "My language server will not answer that.", f"the content filter of {where} held the answer back"
    )


def too_slow(where: str, seconds: float) -> JobError:
    return JobError(
        "My language server takes too long.",
        f"{where} did not answer within {seconds:g} s; is it overloaded?",
    )


def broke_off(where: str) -> JobError:
    return JobError("My language server broke off.", f"the connection to {where} broke off")


def endless(where: str) -> JobError:
    return JobError("My language server says too much.", f"{where} sent far more than an answer")


def nonsense(where: str, what: str) -> JobError:
    return JobError(
        "I do not understand my language server.",
        f"{where} does not speak the OpenAI protocol ({what}): check MICROTURN_BASE_URL",
    )


def nothing(where: str, finish: str, tokens: int) -> JobError:
    """It ended well and said nothing."""
    if finish == "content_filter":
        return filtered(where)
    if finish == "length":
        return JobError(
            "My language server thought for too long.",
            f"{where} spent its {tokens} tokens before the first word: set MICROTURN_REASONING_EFFORT to low "
            "or none, or choose another model",
        )
    return JobError("My language server has no answer to that.", f"{where} answered with nothing")


def busy(where: str, status: int, wait_s: float | None) -> JobError:
    """Too busy; says when to come again if it is known."""
    if wait_s is None:
        return JobError("My language server is busy.", f"{where}: HTTP {status}; try again a little later")
    when = (datetime.now(UTC) + timedelta(seconds=wait_s)).astimezone()
    return JobError(
        f"My language server is busy; ask me again {in_words(wait_s)}.",
        f"{where}: HTTP {status}, asks to wait {math.ceil(wait_s)} s, until {when:%Y-%m-%d %H:%M:%S}",
    )


def in_words(seconds: float) -> str:
    """A time from now as it is said."""
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = math.ceil(seconds / size)
            return f"in {count} {unit}{'s' if count > 1 else ''}"
    count = math.ceil(seconds)
    return f"in {count} seconds" if count > 1 else "in a moment"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by ``Retry-After``: a number or an HTTP date, by the server's own clock if it tells."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        wait_s = float(text)
    except ValueError:
        until = _date(text)
        if until is None:
            return None
        wait_s = (until - (_date(headers.get("date", "")) or datetime.now(UTC))).total_seconds()
    return min(max(wait_s, 0.0), MAX_WAIT_S) if math.isfinite(wait_s) else None


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def unreachable(err: BaseException, where: str) -> Exception:
    """For a connection that did not come about."""
    causes = list(_causes(err))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = " ".join(str(getattr(cause, "verify_message", "") or "not valid").split())[:80]
            return JobError(
                "I cannot trust my language server.",
                f"the certificate of {where} is not accepted ({why}): have it put right, or name the file of "
                "the authority that signed it in SSL_CERT_FILE",
            )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return JobError(
            "I cannot speak securely with my language server.",
            f"{where} does not answer with TLS: should MICROTURN_BASE_URL begin with http:// ?",
        )
    unknown = any(isinstance(cause, socket.gaierror) for cause in causes)
    what = (
        f"no computer is known as {where}: is the network up, and is MICROTURN_BASE_URL right?"
        if unknown
        else f"no connection to {where}: is it running, and is MICROTURN_BASE_URL right?"
    )
    return PassingError(JobError("I cannot reach my language server.", what))


def _causes(err: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = err
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
