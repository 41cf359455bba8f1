"""Keys of servers in the system's keyring, and the command that puts them there."""

import io
import subprocess
import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from engine import cli
from engine.background import doctor, keys
from engine.background.keys import delete_key, host_of, keyring_name, load_key, save_key, with_key
from engine.background.settings import BackgroundSettings
from engine.errors import InputError, MicroturnError

KEY = "sk-abcdef-123456"


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 0.1
    name = "Drawer"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service, username):
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self._open()
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not there")
        del self.kept[service, username]

    def _open(self):
        if self.locked:
            raise KeyringLocked(f"locked, so {KEY} stays out")


@pytest.fixture
def use_ring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def drawer(use_ring):
    ring = Drawer()
    use_ring(ring)
    return ring


def run(capsys, *argv: str) -> tuple[int, str, str]:
    status = cli.main(list(argv))
    out, err = capsys.readouterr()
    return status, out, err


def test_a_key_is_kept_found_and_forgotten(drawer):
    assert load_key("api.example.org") == ""
    save_key("api.example.org", f" {KEY}\n")
    assert drawer.kept == {("microturn", "api.example.org"): KEY}
    assert load_key("api.example.org") == KEY
    assert load_key("example.org") == ""
    assert delete_key("api.example.org")
    assert not delete_key("api.example.org")
    assert keyring_name() == "Drawer"


@pytest.mark.parametrize("ring", [fail.Keyring, null.Keyring])
def test_a_computer_without_a_keyring(use_ring, ring):
    use_ring(ring())
    assert load_key("h") == keyring_name() == ""
    for attempt in (lambda: save_key("h", KEY), lambda: delete_key("h")):
        with pytest.raises(MicroturnError, match=r"has no keyring.*MICROTURN_API_KEY"):
            attempt()


def test_without_the_library_it_is_the_same(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert load_key("h") == keyring_name() == ""
    with pytest.raises(MicroturnError, match="has no keyring"):
        save_key("h", KEY)


def test_a_locked_keyring_is_one_plain_line_without_the_key(drawer):
    drawer.locked = True
    assert load_key("h") == ""
    for attempt in (lambda: save_key("h", KEY), lambda: delete_key("h")):
        with pytest.raises(MicroturnError, match="keyring of this computer refused") as caught:
            attempt()
        assert KEY not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize("key", ["", " \n", "two words", "two\nlines", "schl\u00fcssel", "x" * 2_001])
def test_what_is_no_key_is_not_kept(drawer, key):
    with pytest.raises(InputError) as caught:
        save_key("h", key)
    assert not drawer.kept
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://API.Example.org/v1", "api.example.org"),
        ("api.example.org", "api.example.org"),
        ("api.example.org.", "api.example.org"),
        ("localhost:11434", "localhost"),
        ("http://user:word@example.org:8080/v1", "example.org"),
        ("http://[::1]:8080/v1", "::1"),
        ("::1", "::1"),
        ("[::1]:80", "::1"),
    ],
)
def test_hosts(address, host):
    assert host_of(address) == host


@pytest.mark.parametrize("address", ["", " ", "a b", "http://", "https:///v1", "http://[", "a\nb", "x" * 300])
def test_what_is_no_host(address):
    with pytest.raises(InputError):
        host_of(address)


def test_the_key_of_the_environment_goes_before_the_keyring_s(drawer):
    drawer.kept["microturn", "api.example.org"] = KEY
    server = BackgroundSettings(base_url="https://api.example.org/v1")
    assert with_key(server).api_key == KEY
    assert with_key(BackgroundSettings(base_url=server.base_url, api_key="mine")).api_key == "mine"
    assert with_key(BackgroundSettings(base_url="https://other.example.org/v1")).api_key == ""
    assert with_key(BackgroundSettings(base_url="http://[")) == BackgroundSettings(base_url="http://[")
    drawer.locked = True
    assert with_key(BackgroundSettings()) == BackgroundSettings()  # not even asked
    assert with_key(server) == server


def test_the_command_reads_standard_input(capsys, monkeypatch, drawer):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\nmore"))
    status, out, err = run(capsys, "key", "set", "https://api.example.org/v1")
    assert (status, out, err) == (0, "The key for api.example.org is kept in the keyring (Drawer).\n", "")
    assert drawer.kept == {("microturn", "api.example.org"): KEY}
    status, out, err = run(capsys, "key", "delete", "api.example.org")
    assert (status, out, err) == (0, "The key for api.example.org is forgotten.\n", "")
    assert run(capsys, "key", "delete", "api.example.org")[1] == "No key was kept for api.example.org.\n"


def test_the_command_asks_at_a_terminal_without_echo(capsys, monkeypatch, drawer):
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return KEY

    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr("getpass.getpass", answer)
    status, out, _ = run(capsys, "key", "set", "h")
    assert status == 0 and asked == ["Key for h: "]
    assert load_key("h") == KEY and KEY not in out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["key"], "required"),
        (["key", "show", "h"], "invalid choice"),
        (["key", "set", "h", KEY], "unrecognized arguments"),
        (["key", "set", "a b"], "is a host or a web address"),
        (["key", "set", "h"], "there is no key to keep"),
    ],
)
def test_wrong_arguments_are_one_line(capsys, monkeypatch, drawer, argv, words):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    status, out, err = run(capsys, *argv)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_help(capsys):
    status, out, _ = run(capsys, "key", "--help")
    assert status == 0 and "set|delete" in out


def test_the_worker_never_loads_the_keyring():
    code = (
        "import sys, engine.background.worker, engine.background.answer, engine.background.remote\n"
        "from engine.background.settings import BackgroundSettings\n"
        "engine.background.remote.RemoteModel(BackgroundSettings(base_url='http://localhost:1/v1')).warm_up()\n"
        "assert 'keyring' not in sys.modules and 'engine.background.keys' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_doctor_says_where_the_key_comes_from(monkeypatch, drawer):
    def line(api_key: str = "") -> str:
        parts = doctor.check_parts(BackgroundSettings(base_url="http://example.org/v1", api_key=api_key))
        assert "without encryption" in parts[1][2]
        return next(text for name, _, text in parts if name == "key of the server")

    assert "keyring (Drawer)" in line()
    assert line(api_key=KEY) == "set by MICROTURN_API_KEY"
    monkeypatch.setattr(doctor, "keyring_name", lambda: "")
    assert "set MICROTURN_API_KEY" in line()
    assert keys.SERVICE == "microturn"
