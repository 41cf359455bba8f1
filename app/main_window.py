"""The window: puts widgets, actions and the bridge together."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app import theme as themes
from app.actions import Actions, shortcuts_text
from app.conversation_card import ConversationCard
from app.device_menus import DeviceMenus
from app.dialogs import show_about, show_shortcuts
from app.document import Document
from app.engine_bridge import EngineBridge
from app.features import add_features
from app.jobs_view import JobsView
from app.live import Choice
from app.privacy import privacy_text, sharing_text
from app.question_bar import QuestionBar
from app.session_choice import background_from, choice_from, recordings_folder
from app.settings import Settings
from app.shell import ShellSignals
from app.side_panel import SidePanel, show_action
from app.theme import GAP
from app.timeline.details_panel import DetailsPanel
from app.timeline.explain import explain
from app.timeline_card import TimelineCard
from engine.config import CHUNK_S
from engine.errors import MicroturnError
from engine.events import Event
from engine.recorder.folder import new_session_folder

NOTICE_S = 12.0
_PREVIEW_TICKS = 3  # about ten pictures a second


class MainWindow(QMainWindow):
    """Shows one Document: the live one, or a recorded session. Closing it ends the live session."""

    def __init__(
        self,
        bridge: EngineBridge,
        settings: Settings,
        record_in: Path | None = None,
        save_settings: Callable[[Settings], object] = lambda _: None,
    ) -> None:
        """``record_in``: where to record sessions, from the first one on; None: only when asked for."""
        super().__init__()
        bridge.setParent(self)
        self.bridge = bridge
        self.signals = ShellSignals(self)
        self._settings = settings
        self._pages: dict[str, QWidget] = {}
        self._save_settings = save_settings
        self._record_in = record_in
        self.adapt_choice: Callable[[Choice], Choice] = lambda choice: choice
        self.theme = themes.choose(settings.theme)
        self.live = self.document = Document()
        self._ticks = 0
        self._ticked_at = time.monotonic()
        self._notice = ""
        self._notice_until = 0.0
        background = background_from(settings)
        privacy = privacy_text(background.base_url, background.send_frames)
        self.menus = DeviceMenus(bridge.refresh_devices, self)
        self.commands = Actions(self)
        self.side = SidePanel(self.theme, self.menus, privacy)
        self.card = ConversationCard(self.theme, privacy, sharing_text(background.base_url))
        self.jobs = JobsView(self.theme)
        self.question = QuestionBar(self.theme, self.commands)
        self.details = DetailsPanel(self.theme)
        self.timeline_card = TimelineCard(self.theme, self.commands)
        self.timeline = self.timeline_card.timeline
        self._lay_out()
        self.commands.fill_menus(self, self.menus)
        self._connect()
        self.menus.inputs.choose(settings.input_device)
        self.menus.outputs.choose(settings.output_device)
        self.menus.cameras.choose(settings.camera)
        self.commands.record.setChecked(record_in is not None)
        self._set_theme_preference(settings.theme)
        self.show_document(self.live)
        self._session_changed("off", "")
        self._features = add_features(self)

    def _lay_out(self) -> None:
        top = QSplitter(Qt.Orientation.Horizontal)
        top.addWidget(self.card)
        top.addWidget(self.details)
        top.addWidget(self.jobs)
        top.setStretchFactor(0, 1)
        top.setChildrenCollapsible(False)
        right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(top)
        right.addWidget(self.timeline_card)
        right.setStretchFactor(0, 1)
        right.setChildrenCollapsible(False)
        for splitter in (top, right):
            splitter.setHandleWidth(GAP)
        self._splitters = (top, right)
        self._stack = QStackedWidget()
        self.add_page("talk", right)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        column.addWidget(self.question)
        column.addWidget(self.card.notice)  # there on every page
        column.addWidget(self._stack, 1)
        body = QWidget()
        layout = QHBoxLayout(body)
        layout.setContentsMargins(GAP, 2, GAP, GAP)
        layout.setSpacing(GAP)
        layout.addWidget(self.side)
        layout.addLayout(column, 1)
        self.setCentralWidget(body)
        self.details.hide()
        self.resize(1320, 880)
        right.setSizes([470, 380])
        top.setSizes([700, 330, 290])
        self.restoreGeometry(self._settings.geometry)
        for splitter, state in zip(
            self._splitters, (self._settings.columns, self._settings.layout), strict=True
        ):
            splitter.restoreState(state)
        side = self.side
        order = (self.question.deny, self.question.allow, side.start, side.mute, side.silence, *side.devices,
                 self.card.field, self.card.send, self.card.share, self.card.view, self.jobs.close_button,
                 *self.timeline_card.buttons, self.timeline)  # fmt: skip
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)

    def _connect(self) -> None:
        bridge, do, side = self.bridge, self.commands, self.side
        bridge.events.connect(self._take_events)
        bridge.session_changed.connect(self._session_changed)
        bridge.recording_changed.connect(self._recording_changed)
        bridge.muted_changed.connect(self._muted_changed)
        bridge.microphone_changed.connect(self._microphone_changed)
        bridge.devices_changed.connect(self.menus.show_devices)
        bridge.recorded_opened.connect(self.show_document)
        bridge.trouble.connect(self.notify)
        bridge.dropped.connect(
            lambda count: self.notify(f"The window fell behind and missed {count} events.")
        )
        bridge.ticked.connect(self._ticked)
        show_action(side.mute, do.mute)
        show_action(side.silence, do.silence)
        show_action(self.card.leave, do.leave)
        show_action(self.card.share, do.share)
        self.card.share.setText("Share…")
        side.start.clicked.connect(self.toggle_session)
        do.toggle.triggered.connect(self.toggle_session)
        do.mute.triggered.connect(bridge.set_muted)
        do.silence.triggered.connect(bridge.stop_speaking)
        do.mark.triggered.connect(lambda: bridge.mark("marked by hand"))
        do.cancel.triggered.connect(self._cancel_jobs)
        do.record.triggered.connect(self._record_toggled)
        do.open.triggered.connect(self._ask_for_session)
        do.show_folder.triggered.connect(self._show_folder)
        do.leave.triggered.connect(lambda: self.show_document(self.live))
        do.quit.triggered.connect(self.close)
        do.follow.triggered.connect(self.timeline.set_follow)
        do.zoom_in.triggered.connect(lambda: self.timeline.zoom(1.5))
        do.zoom_out.triggered.connect(lambda: self.timeline.zoom(1 / 1.5))
        do.fit.triggered.connect(self.timeline.fit)
        do.details.toggled.connect(self.details.setVisible)
        do.jobs.setChecked(True)
        do.jobs.toggled.connect(self.jobs.setVisible)
        do.type.triggered.connect(self.card.field.setFocus)
        do.shortcuts.triggered.connect(lambda: show_shortcuts(self, shortcuts_text(do)))
        do.about.triggered.connect(lambda: show_about(self))
        do.themes.triggered.connect(lambda action: self._set_theme_preference(action.data()))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_theme_changed)
        self.card.typed.connect(bridge.type_text)
        self.card.view.line_chosen.connect(self._line_chosen)
        self.timeline.selection_changed.connect(self._selection_changed)
        self.timeline.follow_changed.connect(do.follow.setChecked)
        self.details.closed.connect(self._details_closed)
        self.menus.changed.connect(self._devices_chosen)
        self.question.replied.connect(self._permit)
        for part in (self.jobs, self.timeline):
            part.stop_asked.connect(bridge.cancel_job)
            part.retry_asked.connect(bridge.retry_job)
        self.jobs.closed.connect(lambda: do.jobs.setChecked(False))

    # the session

    def choice(self) -> Choice:
        """How the next session is to run, as chosen in the window and adapted. Raises MicroturnError."""
        record = self.commands.record.isChecked()
        folder = new_session_folder(self.sessions_folder()) if record else None
        return self.adapt_choice(choice_from(self.settings, folder))

    def toggle_session(self) -> None:
        """Start when nothing runs, else stop."""
        if self.bridge.active:
            self.bridge.stop()
        else:
            self.start_session()

    def start_session(self, choice: Choice | None = None) -> None:
        """Start a session, as chosen in the window when no choice is given; nothing while one is active."""
        if self.bridge.active:
            return
        try:
            choice = choice or self.choice()
        except MicroturnError as err:
            self.notify(str(err), forever=True)
            return
        self.live = Document()
        self.live.status.set_muted(self.bridge.muted)
        self.show_document(self.live)
        self.bridge.start(choice)

    def _take_events(self, events: Sequence[Event]) -> None:
        changes = self.live.append(events)
        if self.document is self.live:
            self.card.view.show_changes(changes)
            self.card.show_empty(not self.live.conversation.lines)
            self.timeline.refresh()
        self.signals.events_taken.emit(events)

    def _session_changed(self, state: str, detail: str) -> None:
        self.live.status.set_session(state, detail)
        running = self.bridge.active
        self.side.show_running(running)
        self.side.start.setEnabled(state != "stopping")
        self.card.show_running(state == "running" and self.document is self.live)
        self.commands.toggle.setText("S&top" if running else "&Start")
        for action in (self.commands.silence, self.commands.mark):
            action.setEnabled(state == "running")
        if state in ("stopped", "failed"):
            changes = self.live.close()
            if self.document is self.live:
                self.card.view.show_changes(changes)
        if state == "failed":
            self.notify(detail, forever=True)
        elif state == "starting":
            self.notify("")
        self._refresh(seconds=10.0)
        self._show_title()

    def _cancel_jobs(self) -> None:
        for job in self.live.status.jobs:
            self.bridge.cancel_job(job)

    def _permit(self, job: int, allowed: bool) -> None:
        self.bridge.permit_job(job, allowed)
        self.live.jobs.answered(job, allowed)
        self._refresh_jobs(0.0)

    def _refresh_jobs(self, seconds: float) -> None:
        can_act = self.document is self.live and self.bridge.state == "running"
        self.jobs.show_jobs(self.document.jobs, can_act)
        self.timeline.can_act = can_act
        self.question.show_questions(self.live.jobs.questions, seconds)

    def _recording_changed(self, on: bool) -> None:
        self.card.light.show_recording(on)
        self._show_title()

    def _muted_changed(self, muted: bool) -> None:
        self.commands.show_muted(muted, self.theme)
        self.live.status.set_muted(muted)
        self._show_title()

    def _microphone_changed(self, opened: bool | None) -> None:
        self.live.status.set_microphone(opened)

    def _record_toggled(self, on: bool) -> None:
        if self.bridge.active:
            self.notify(
                f"Recording {'begins' if on else 'ends'} with the next session: stop and start again."
            )
        elif on:
            self.notify(f"The next session will be recorded in {self.sessions_folder()}")
        else:
            self.notify("")

    def _devices_chosen(self) -> None:
        if self.bridge.active:
            self.notify("The chosen device is used from the next start on.")

    def _ticked(self) -> None:
        now = time.monotonic()
        self._refresh(min(now - self._ticked_at, 1.0))
        self._ticked_at = now
        self._ticks += 1
        if self._ticks % _PREVIEW_TICKS == 0 and self.isVisible():
            session = self.bridge.session
            self.side.camera.show_newest(session.camera if session is not None else None)

    def _refresh(self, seconds: float) -> None:
        """Bring what moves up to date, ``seconds`` after the last time."""
        status = self.live.status.status
        self.side.status.show_status(status, seconds)
        self.side.user_meter.show_level(status.user_level_db, seconds)
        self.side.assistant_meter.show_level(status.self_level_db, seconds)
        if time.monotonic() > self._notice_until:
            self._notice = ""
        shown_fault = status.fault if self.document is self.live else ""
        self.card.show_notice(self._notice or shown_fault)
        self.commands.cancel.setEnabled(status.working)
        self._refresh_jobs(seconds)
        self.signals.refreshed.emit(seconds)

    def notify(self, text: str, forever: bool = False) -> None:
        """Say one line above the conversation, for a while or until the next one."""
        self._notice = text
        self._notice_until = float("inf") if forever else time.monotonic() + NOTICE_S
        self.card.show_notice(text)

    def _show_title(self) -> None:
        parts = ["●  Recording"] if self.card.light.on else []
        if self.bridge.muted and self.bridge.active:
            parts.append("Muted")
        if not self.document.live:
            parts.append(self.document.title)
        self.setWindowTitle(" – ".join([*parts, "Microturn"]))

    # what is shown

    def show_document(self, document: Document) -> None:
        """Show the live conversation or a recorded session."""
        self.document = document
        live = document is self.live
        self.card.view.replace(document.conversation)
        self.card.title.setText(document.title)
        self.card.show_note(document.note)
        self.card.show_empty(live and not document.conversation.lines)
        self.card.show_running(live and self.bridge.state == "running")
        self.card.leave.setVisible(not live)
        self.commands.leave.setEnabled(not live)
        self.timeline.set_model(document.timeline, follow=live)
        self.commands.follow.setChecked(live)
        self.details.show_explanation(None)
        self.notify("")
        self._refresh_jobs(0.0)
        self._show_title()
        self.show_page("talk")
        self.signals.document_changed.emit()

    # for the features

    @property
    def window_widget(self) -> QMainWindow:
        """Parent of dialogs."""
        return self

    @property
    def settings(self) -> Settings:
        """What is remembered between two runs, with the window's own geometry."""
        top, right = self._splitters
        return replace(
            self._settings,
            input_device=self.menus.inputs.value,
            output_device=self.menus.outputs.value,
            camera=self.menus.cameras.value,
            geometry=bytes(self.saveGeometry().data()),
            columns=bytes(top.saveState().data()),
            layout=bytes(right.saveState().data()),
        )

    def change_settings(self, **changes: Any) -> None:
        """Replace fields of the settings, save them, and tell ``settings_changed``."""
        self._settings = replace(self.settings, **changes)
        self._save_settings(self._settings)
        self.signals.settings_changed.emit()

    def sessions_folder(self) -> Path:
        """Where sessions are recorded."""
        return self._record_in or recordings_folder(self._settings)

    def open_session(self, path: Path) -> None:
        """Read and show a recorded session."""
        self.bridge.open_recorded(path)

    def add_page(self, name: str, page: QWidget) -> None:
        """A page beside the conversation, shown by ``show_page``."""
        self._pages[name] = page
        self._stack.addWidget(page)

    def show_page(self, name: str) -> None:
        """``talk`` is the conversation with its timeline."""
        self._stack.setCurrentWidget(self._pages[name])

    def shown_page(self) -> str:
        """Name of the page that is shown."""
        return next(name for name, page in self._pages.items() if page is self._stack.currentWidget())

    def _selection_changed(self) -> None:
        explanation = explain(self.document.timeline)
        self.details.show_explanation(explanation)
        if explanation is not None:
            self.details.show()
            self.card.view.reveal(explanation.t)
            self.commands.details.setChecked(True)

    def _details_closed(self) -> None:
        self.details.hide()
        self.commands.details.setChecked(False)
        self.timeline.select(None)

    def _line_chosen(self, t: float) -> None:
        if self.timeline_card.isVisible():
            self.timeline.select(int(t / CHUNK_S + 1e-6))

    # files

    def _ask_for_session(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open recorded session", str(self.sessions_folder()))
        if folder:
            self.bridge.open_recorded(Path(folder))

    def _show_folder(self) -> None:
        folder = self.sessions_folder()
        if folder.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        else:
            self.notify(f"Nothing has been recorded yet; recordings will be in {folder}")

    # looks, and the end

    def _set_theme_preference(self, preference: str) -> None:
        self._settings = replace(self._settings, theme=preference)
        for action in self.commands.themes.actions():
            action.setChecked(action.data() == preference)
        self._apply_theme()

    def _system_theme_changed(self) -> None:
        if self._settings.theme == "system":
            self._apply_theme()

    def _apply_theme(self) -> None:
        self.theme = themes.choose(self._settings.theme)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            themes.apply(app, self.theme)
        for part in (self.side, self.card, self.details, self.jobs, self.question, self.timeline_card,
                     self.commands):  # fmt: skip
            part.set_theme(self.theme)
        for page in self._pages.values():
            if hasattr(page, "set_theme"):
                page.set_theme(self.theme)
        self.side.show_running(self.bridge.active)
        self.details.show_explanation(explain(self.document.timeline))
        self.signals.theme_changed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.signals.closing.emit()
        self.bridge.close()
        super().closeEvent(event)
