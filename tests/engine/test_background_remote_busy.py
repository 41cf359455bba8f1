"""The language model on a server: busy ones, those out of reach, and ending early."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from engine.background import remote
from engine.background.failure import JobError
from engine.background.prompt import Prompt
from engine.background.remote_failure import in_words, retry_after
from tests.engine.background_server import (
    ask,
    model_at,
    never,
)
from tests.fake_openai import (
    CERTIFICATE,
    FakeOpenAI,
    failing,
    redirecting,
    saying,
    silent,
    streaming,
    waiting,
)


@pytest.fixture(autouse=True)
def quick_retry(monkeypatch):
    monkeypatch.setattr(remote, "RETRY_PAUSE_S", 0.01)


# Busy servers, and those that cannot be reached


def test_retry_after_is_waited_for():
    with FakeOpenAI(failing(429, Retry_After="0.3"), saying("Here.")) as server:
        began = time.monotonic()
        assert ask(server) == ["Here."]
        assert time.monotonic() - began > 0.3


def test_a_server_busy_for_long_says_until_when():
    with FakeOpenAI(failing(503, Retry_After="90")) as server:
        with pytest.raises(JobError) as caught:
            ask(server)
        assert len(server.requests) == 1
    assert caught.value.say == "My language server is busy; ask me again in 2 minutes."
    assert "wait 90 s, until " in caught.value.advice


def test_cancelling_ends_the_wait_for_a_busy_server():
    stop = threading.Event()
    with FakeOpenAI(failing(429, Retry_After="20"), saying("Late.")) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), stop.is_set)
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        assert list(pieces) == []
        assert time.monotonic() - began < 1.5
        assert len(server.requests) == 1
        timer.join()


def test_an_account_used_up_is_not_asked_again():
    with FakeOpenAI(failing(429, "insufficient_quota: see billing")) as server:
        with pytest.raises(JobError, match="used up"):
            ask(server)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("1e99", 7 * 86_400),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date():
    now = datetime.now(UTC)
    wait = retry_after({"retry-after": format_datetime(now + timedelta(seconds=40), usegmt=True)})
    assert wait is not None and 38 < wait <= 40
    # by the server's own clock where it tells
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(headers) == 30
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}) is None


def test_times_are_said():
    assert [in_words(s) for s in (0, 1, 1.2, 60, 61, 3_600, 90_000)] == [
        "in a moment", "in a moment", "in 2 seconds", "in 1 minute", "in 2 minutes", "in 1 hour", "in 2 days",
    ]  # fmt: skip


def test_redirects_are_not_followed():
    with FakeOpenAI(redirecting) as server:
        with pytest.raises(JobError, match="has moved"):
            ask(server)
        assert len(server.requests) == 1


def test_a_certificate_that_nobody_vouches_for(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with FakeOpenAI(tls=True) as server:
        with pytest.raises(JobError, match="cannot trust") as caught:
            ask(server)
        assert not server.requests
    assert "certificate of 127.0.0.1" in caught.value.advice and "SSL_CERT_FILE" in caught.value.advice


def test_a_certificate_of_ones_own_can_be_vouched_for(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with FakeOpenAI(saying("Yes."), tls=True) as server:
        assert ask(server) == ["Yes."]


def test_certificates_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(JobError) as caught:
        model_at("https://localhost/v1")
    assert "SSL_CERT_FILE" in caught.value.advice


def test_tls_where_there_is_none():
    with FakeOpenAI() as server, pytest.raises(JobError, match="speak securely"):
        list(model_at(server.base_url.replace("http:", "https:")).stream(Prompt("?"), never))


def test_a_computer_that_nobody_knows():
    with pytest.raises(JobError, match="cannot reach") as caught:
        list(model_at("http://nowhere.invalid/v1").stream(Prompt("?"), never))
    assert "nowhere.invalid" in caught.value.advice


# Ending early


@pytest.mark.parametrize("behaviour", [silent, waiting("One ")])
@pytest.mark.parametrize("tls", [False, True])
def test_cancelling_hangs_up(behaviour, tls, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    stop = threading.Event()
    with FakeOpenAI(behaviour, tls=tls) as server:
        pieces = model_at(server.base_url).stream(Prompt("?"), stop.is_set)
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        list(pieces)
        timer.join()
        if behaviour is not silent:
            assert server.hung_up.wait(2)
        wait_for_readers()
        assert time.monotonic() - began < 2.0


def wait_for_readers() -> None:
    deadline = time.monotonic() + 1.0
    while any(t.name == "remote" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_left_alone_hangs_up_and_the_next_is_whole():
    with FakeOpenAI(waiting("One "), saying("Two.")) as server:
        model = model_at(server.base_url)
        pieces = model.stream(Prompt("?"), never)
        assert next(pieces) == "One "
        pieces.close()  # type: ignore[attr-defined]
        assert server.hung_up.wait(2)
        assert list(model.stream(Prompt("?"), never)) == ["Two."]


def test_connections_are_used_again_and_can_be_cut_all_the_same():
    stop = threading.Event()
    hello = streaming({"content": "Hi."})
    with FakeOpenAI(hello, hello, silent, hello, keep=True) as server:
        model = model_at(server.base_url)
        for _ in range(2):
            assert list(model.stream(Prompt("?"), never)) == ["Hi."]
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        assert list(model.stream(Prompt("?"), stop.is_set)) == []
        timer.join()
        wait_for_readers()
        assert len(server.connections) == 1
        assert list(model.stream(Prompt("?"), never)) == ["Hi."]
        assert len(server.connections) == 2
        model.close()
