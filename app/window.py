"""Opens the window: options, the Qt application, one window at a time, clean ends."""

import argparse
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

# On Windows torch's libraries cannot be loaded once Qt's are.
if sys.platform == "win32":
    with suppress(ImportError):
        import torch  # noqa: F401

from PySide6.QtCore import QEvent, QSocketNotifier, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from app import theme as themes
from app.display import check_display
from app.engine_bridge import EngineBridge
from app.live import ListDevices, OpenSession, list_devices, open_session, preload
from app.main_window import MainWindow
from app.options import parser
from app.settings import Settings
from app.settings_store import SettingsStore
from app.single_instance import SingleInstance
from engine.errors import MicroturnError
from engine.paths import asset, data_dir

log = logging.getLogger(__name__)
_PRELOAD_MS = 250  # after the window has been painted


def run(
    argv: Sequence[str],
    open_live: OpenSession = open_session,
    list_all: ListDevices = list_devices,
) -> int:
    """Open the window and return the exit status when it is closed.

    Args:
        open_live, list_all: what reaches the devices.
    """
    try:
        options = parser().parse_args(list(argv))
        check_display()
        return _show(options, open_live, list_all)
    except MicroturnError as err:
        sys.stderr.write(f"microturn: {err}\n")
        return err.exit_status


def _show(options: argparse.Namespace, open_live: OpenSession, list_all: ListDevices) -> int:
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["microturn"])
    app.setApplicationName("microturn")
    app.setApplicationDisplayName("Microturn")
    app.setDesktopFileName("microturn")
    app.setWindowIcon(QIcon(str(asset("icons/microturn.svg"))))
    themes.load_fonts(app)
    single = SingleInstance(data_dir())
    if not single.claim():
        if not single.ask_first(str(options.open.absolute()) if options.open else ""):
            raise MicroturnError("another Microturn is running, and does not answer: close it first")
        sys.stderr.write("microturn: the window that was open already has come forward\n")
        return 0
    store = SettingsStore()
    settings = store.load()
    window = MainWindow(
        EngineBridge(open_live, list_all),
        _with_options(settings, options),
        options.record,
        lambda settings: _save(window, store, settings),
    )
    if store.notices:
        window.notify(" ".join(store.notices), forever=True)
    single.asked.connect(lambda show: _come_forward(window, show))
    with _signals_close(window), _errors_shown(window):
        window.show()
        if options.open is not None:
            window.bridge.open_recorded(options.open)
        if options.start:
            window.toggle_session()
        _later(window, _PRELOAD_MS, lambda: window.bridge.run_in_background(preload))
        if options.quit_after is not None:
            _later(window, round(options.quit_after * 1000), window.close)
        status = app.exec()
    if trouble := store.save(window.settings):
        sys.stderr.write(f"microturn: {trouble}\n")
    single.release()
    # Here and now: left to the garbage collector, Qt's objects could die in another thread.
    for done in (window, single):
        done.deleteLater()
        app.sendPostedEvents(done, QEvent.Type.DeferredDelete)
    return status


def _save(window: MainWindow, store: SettingsStore, settings: Settings) -> None:
    if trouble := store.save(settings):
        window.notify(trouble)


def _with_options(settings: Settings, options: argparse.Namespace) -> Settings:
    camera = settings.camera if options.camera is None else options.camera
    return replace(
        settings,
        input_device=settings.input_device if options.input is None else options.input,
        output_device=settings.output_device if options.output is None else options.output,
        camera="" if camera == "none" else camera,
    )


def _later(window: MainWindow, ms: int, call: Callable[[], object]) -> None:
    """Once, unless the window is gone by then."""
    timer = QTimer(window)
    timer.setSingleShot(True)
    timer.timeout.connect(call)
    timer.start(ms)


def _come_forward(window: MainWindow, show: str) -> None:
    window.showNormal()
    window.raise_()
    window.activateWindow()
    if show:
        window.bridge.open_recorded(Path(show))


@contextmanager
def _signals_close(window: MainWindow) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the window as its button does; Python alone would notice much later."""
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(lambda: (reader.recv(64), window.close()))
    before = {which: signal.signal(which, lambda *_: None) for which in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(writer.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for which, handler in before.items():
            signal.signal(which, handler)
        notifier.setEnabled(False)
        reader.close()
        writer.close()


@contextmanager
def _errors_shown(window: MainWindow) -> Iterator[None]:
    """An error in the window's own code becomes one line; the conversation goes on."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.debug("error in the window", exc_info=(kind, error, trace))
        window.notify(f"The window had an error ({kind.__name__}: {error}). The session goes on.")

    before, sys.excepthook = sys.excepthook, show
    try:
        yield
    finally:
        sys.excepthook = before
