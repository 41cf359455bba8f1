"""The timeline as a widget: what it shows, keys, and the order in which things are painted."""

from collections.abc import Collection
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.text import one_line
from app.theme import Theme, px, q, text_scale
from app.timeline import frame as frames
from app.timeline import keys
from app.timeline.explain import hover_text
from app.timeline.flow import MAX_AHEAD_S, Flow
from app.timeline.found import Found
from app.timeline.frame import Frame, Highlights
from app.timeline.hover import lane_text
from app.timeline.items import Job
from app.timeline.job_menu import job_menu, jobs_near
from app.timeline.lanes import LANES, NAMES, Placed, natural_height, place
from app.timeline.live_pictures import LivePictures
from app.timeline.media import Media
from app.timeline.model import TimelineModel
from app.timeline.pointer import Pointer
from app.timeline.sound_tracks import picture_width
from app.timeline.time_scale import TimeScale
from app.timeline.view import View
from app.timeline.viewport import Viewport
from engine.config import CHUNK_S

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMenu

    from engine.inspect.findings import Findings

GUTTER = 104
RULER = 24
OVERVIEW = 32
_MEDIA_MS = 33


class TimelineWidget(QWidget):
    """Shows a TimelineModel through a Viewport; keyboard and mouse change both.

    What stands still is kept as a picture: the playhead moves over it without painting anything anew.
    """

    selection_changed = Signal()
    range_changed = Signal()
    """``selected_range`` is another one, or none."""
    follow_changed = Signal(bool)
    play_asked = Signal()
    """Space, on a recorded session: play, or pause."""
    verdict_asked = Signal(int)
    """1 to 7: somebody judges the selected micro-turn."""
    stop_asked = Signal(int)
    retry_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.model = TimelineModel()
        self.viewport = Viewport()
        self.selected_range: tuple[float, float] | None = None
        """Start and end of the selected stretch, in session seconds."""
        self.follow_playhead = True
        """The view moves on with the playhead."""
        self.can_act = False
        """The session shown runs, so its jobs can be stopped and tried again."""
        self._recorded = False
        self._found = Found()
        self._hidden: frozenset[str] = frozenset()
        self._highlights: Highlights = ()
        self._playhead: float | None = None
        self._range_anchor: int | None = None
        self._was_following = True
        self._focus_by_key = False
        self._media = Media()
        self._media_timer = QTimer(self)
        self._media_timer.setInterval(_MEDIA_MS)
        self._media_timer.timeout.connect(self._media_tick)
        self._picture = QPixmap()
        self._painted: object = None
        self._flow = Flow()
        self._pointer = Pointer(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 250)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(
            "Micro-turns of the session. Left and right arrows select a micro-turn, with control they jump "
            "to the next change of decision; plus and minus zoom; space follows, or plays a recorded session."
        )

    def sizeHint(self) -> QSize:
        return QSize(900, RULER + OVERVIEW + natural_height(self._gone) + 8)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.invalidate()

    # what is shown

    def set_model(self, model: TimelineModel, follow: bool) -> None:
        """Show another session: a live one, following its end, or all of a recorded one."""
        self.model = model
        self.viewport = Viewport(follow=follow)
        self._recorded = not follow
        self._found, self._highlights, self._playhead = Found(), (), None
        self._flow.reset(model.end_s)
        self.set_folder(None)
        self.set_range(None)
        self.refresh()
        if not follow:
            self.viewport.fit()
        self._told()
        self.selection_changed.emit()

    def set_folder(self, folder: Path | None) -> None:
        """Where the shown session's sound and pictures are read from, beside the window; None: nowhere."""
        self._media.open(folder)
        if folder is not None:
            self._media_timer.start()
        self.invalidate()

    def show_live_pictures(self, pictures: LivePictures) -> None:
        """What a running session's camera gives; ``set_folder`` ends it."""
        had = self._media.has_video
        self._media.show_live(pictures)
        if self._media.has_video != had:
            self.updateGeometry()
        self.invalidate()

    @property
    def reading(self) -> bool:
        """Sound or pictures of the shown session are still being read."""
        return self._media.busy

    def close_media(self) -> None:
        """The window closes: nothing is read any more."""
        self._media_timer.stop()
        self._media.close()

    def set_findings(self, findings: "Findings | None") -> None:
        """What was found in the recorded session that is shown."""
        self._found = Found(findings)
        self.invalidate()

    def set_highlights(self, highlights: Highlights) -> None:
        """Stretches to show, as (start, end, label): what a search found, or where two sessions differ."""
        self._highlights = sorted(highlights)
        self.invalidate()

    def set_hidden(self, names: Collection[str]) -> None:
        """Do not show these lanes; the others get their room. Unknown names are ignored."""
        self._hidden = frozenset(names) & NAMES
        self.updateGeometry()
        self.invalidate()

    @staticmethod
    def lanes() -> list[tuple[str, str]]:
        """Name and title of every lane there is."""
        return [(lane.name, lane.title) for lane in LANES]

    def refresh(self) -> None:
        """The model has grown."""
        self.viewport.set_content(self.model.first_s, self.model.end_s)
        self.invalidate()

    def flow(self, seconds: float) -> None:
        """Time goes by: what is shown of a live session that is followed moves on between its micro-turns."""
        before = self._shift
        self._flow.step(seconds, self.model.end_s)
        if self._shift != before:
            self.update()

    @property
    def _shift(self) -> int:
        """Pixels by which the lanes have moved on since they were painted."""
        flowing = self.viewport.follow and not self._recorded and self.model.turns.count
        return round(self._flow.ahead_s * self.scale().px_per_s) if flowing else 0

    def invalidate(self) -> None:
        """Paint everything anew, when next painted."""
        self._painted = None
        self.update()

    def set_playhead(self, t: float | None) -> None:
        """Where playing is, in session seconds; None shows no playhead."""
        before, self._playhead = self._playhead, t if t is None or isfinite(t) else None
        if self._playhead is not None and self.follow_playhead:
            view = self.viewport
            if not view.start_s <= self._playhead <= view.start_s + 0.92 * view.span_s:
                view.follow = False
                view.pan(self._playhead - 0.08 * view.span_s - view.start_s)
                self._told()
                return
        for one in (before, self._playhead):
            if one is not None:
                self.update(QRect(round(self.scale().x(one)) - 3, 0, 7, self.height()))

    def set_follow(self, follow: bool) -> None:
        self.viewport.set_follow(follow)
        self._told()

    def pan(self, seconds: float) -> None:
        self.viewport.pan(seconds)
        self._told()

    def centre(self, t: float) -> None:
        self.viewport.centre(t)
        self._told()

    def show_span(self, t0: float, t1: float) -> None:
        """Show ``t0 .. t1``, as far as the session goes."""
        self.viewport.show(t0, t1)
        self._told()

    def zoom(self, factor: float) -> None:
        """About the selected turn when it is visible, else about the middle."""
        selected = self.model.selected
        t = None if selected is None else (selected + 0.5) * CHUNK_S
        visible = t is not None and self.viewport.start_s <= t <= self.viewport.stop_s
        self.viewport.zoom(factor, t if visible else None)
        self._told()

    def fit(self) -> None:
        self.viewport.follow = False
        self.viewport.fit()
        self._told()

    def select(self, i: int | None) -> None:
        """Select a micro-turn and bring it into view."""
        self.model.select(i)
        self._selected()

    def click(self, x: float) -> None:
        """Select what is at a pixel; beside the session, nothing."""
        i = self.scale().turn(x + self._shift)
        self.set_range(None)
        self.select(i if self.model.turns.has(i) else None)

    def step(self, by: int, to_change: bool) -> None:
        """Select a neighbour, or the next micro-turn at which the decision changed."""
        self.set_range(None)
        if to_change:
            self.model.step_change(by)
        else:
            self.model.step(by)
        self._selected()

    def play_or_follow(self) -> None:
        """Ask to play a recorded session; follow a live one, or pause following."""
        if self._recorded:
            self.play_asked.emit()
        else:
            self.set_follow(not self.viewport.follow)

    def set_range(self, stretch: tuple[float, float] | None) -> None:
        """Select a stretch of time, as far as the session goes, or none."""
        if stretch is not None:
            low, high = (min(max(t, self.model.first_s), self.model.end_s) for t in stretch)
            stretch = (low, high) if high > low else None
        else:
            self._range_anchor = None
        if stretch != self.selected_range:
            self.selected_range = stretch
            self.range_changed.emit()
            self.invalidate()

    def extend_range(self, by: int) -> None:
        """Move the selected micro-turn, and select everything from where that began."""
        if self._range_anchor is None:
            if self.model.selected is None:
                self.model.step(0)
            self._range_anchor = self.model.selected
        anchor = self._range_anchor
        self.model.step(by)
        if anchor is not None and self.model.selected is not None:
            first, last = sorted((anchor, self.model.selected))
            self.set_range((first * CHUNK_S, (last + 1) * CHUNK_S))
            self._selected()

    def _selected(self) -> None:
        if self.model.selected is not None:
            t = self.model.selected * CHUNK_S
            self.viewport.reveal(t, t + CHUNK_S)
            self.setAccessibleDescription(hover_text(self.model, self.model.selected))
        self._told()
        self.selection_changed.emit()

    def _told(self) -> None:
        if self.viewport.follow != self._was_following:
            self._was_following = self.viewport.follow
            self.follow_changed.emit(self.viewport.follow)
        self.update()

    # geometry

    def frame(self) -> Frame:
        return Frame(self.width(), self.height(), px(GUTTER), px(RULER), OVERVIEW)

    @property
    def lane_width(self) -> int:
        return max(self.width() - px(GUTTER), 1)

    def scale(self) -> TimeScale:
        return TimeScale.of(self.viewport.start_s, self.viewport.span_s, self.lane_width, px(GUTTER))

    def overview_scale(self) -> TimeScale:
        return frames.overview_scale(self.frame(), self.model.first_s, self.model.end_s)

    @property
    def _gone(self) -> frozenset[str]:
        """Lanes that are hidden, and those that this session has nothing for."""
        without = (
            ("camera", not self._media.has_video),
            ("latency", not self._found.replies),
            ("projection", not self.model.turns.projects and self.model.turns.count > 0),
            ("watching", not self.model.items.watches.watched),
        )
        return self._hidden | {name for name, empty in without if empty}

    def layout_lanes(self) -> list[Placed]:
        """(lane, top, height) of each; heights share the room there is."""
        frame = self.frame()
        rows = {"watching": len(self.model.items.watches.kinds)}
        return place(self._gone, frame.ruler, frame.bottom - frame.ruler - 2, text_scale(), rows)

    def lane_at(self, y: float) -> str:
        return next((lane.name for lane, top, height in self.layout_lanes() if top <= y < top + height), "")

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        state = (
            self.viewport.start_s, self.viewport.span_s, self.viewport.follow, self.size(), self.theme.name,
            self.devicePixelRatioF(), text_scale(), self.model.selected, self.model.end_s,
        )  # fmt: skip
        if state != self._painted:
            self._paint_all()
            self._painted = state
        painter = QPainter(self)
        frames.draw_kept(painter, self._picture, self.frame(), self._shift)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._playhead is not None:
            x = self.scale().x(self._playhead)
            if x >= px(GUTTER):
                frames.paint_playhead(painter, self.frame(), x, self.theme.danger)
        if self.hasFocus() and self._focus_by_key:
            painter.setPen(QPen(q(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _paint_all(self) -> None:
        dpr = self.devicePixelRatioF()
        more = round(MAX_AHEAD_S * self.scale().px_per_s) + 1 if not self._recorded else 0
        wanted = (self.size() + QSize(more, 0)) * dpr
        if self._picture.size() != wanted:
            self._picture = QPixmap(wanted)
        self._picture.setDevicePixelRatio(dpr)
        painter = QPainter(self._picture)
        self.paint_on(painter, dpr, more)
        painter.end()

    def paint_on(self, painter: QPainter, dpr: float, more: int = 0) -> None:
        """Paint all but the playhead, also for a picture of another resolution or format.

        ``more``: pixels to paint to the right of what is visible."""
        frame, scale, lanes = self.frame(), self.scale(), self.layout_lanes()
        # One pixel beyond: a fractional scale leaves an edge otherwise.
        painter.fillRect(self.rect().adjusted(-1, -1, 1 + more, 1), q(self.theme.surface))
        self._want_media(lanes)
        wide = self.lane_width + more
        columns = self.model.turns.columns(
            round(scale.first_px * dpr), scale.px_per_s * dpr, round(wide * dpr)
        )
        view = View(self.model, self.theme, scale, frame.gutter, wide, dpr, columns, self._found, self._media)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frames.paint_session(
            painter, frame, view, lanes, self._highlights, self.selected_range, self.viewport
        )

    def _want_media(self, lanes: list[Placed]) -> None:
        camera = next((height for lane, _, height in lanes if lane.name == "camera"), None)
        tile_px = None if camera is None else picture_width(camera, self._media.shape)
        self._media.want(self.viewport.start_s, self.viewport.stop_s, self.scale().px_per_s, tile_px)
        if self._media.busy and not self._media_timer.isActive():
            self._media_timer.start()

    def _media_tick(self) -> None:
        if self._media.poll():
            self.invalidate()
        elif not self._media.busy:
            self._media_timer.stop()

    # mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pointer.pressed(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.moved(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pointer.released(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        dx, dy = event.angleDelta().x(), event.angleDelta().y()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if abs(dx) > abs(dy) or shift:
            self.viewport.pan(-(dx or dy) / 120 * self.viewport.span_s * keys.PAN_SHARE)
        elif dy:
            anchor = self.scale().t(max(event.position().x(), px(GUTTER)))
            self.viewport.zoom(keys.ZOOM_STEP ** (dy / 120), anchor)
        self._told()
        event.accept()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.hover(event.pos())
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().event(event)

    def hover(self, at: QPoint) -> str:
        """Plain text on what is under a point."""
        frame, scale = self.frame(), self.scale()
        if at.y() >= frame.bottom:
            return "The whole session. Above: faults and finds; across: barge-ins; below: marks."
        if at.x() < frame.gutter:
            return ""
        t, near = scale.t(at.x()), 8 / scale.px_per_s
        if at.y() < frame.ruler:
            here = (label for t0, t1, label in self._highlights if t0 - near <= t <= t1 + near)
            return one_line("; ".join(here), 500)
        return lane_text(self.model, self._found, self.lane_at(at.y()), t, near)

    # what can be done about jobs

    def jobs_near(self, t: float, near: float = CHUNK_S) -> list[Job]:
        """Jobs at session second ``t``, the newest first; none where nothing can be done about them."""
        return jobs_near(self.model, t, near) if self.can_act else []

    def job_menu(self, t: float, near: float = CHUNK_S) -> "QMenu | None":
        """What can be done about the jobs there."""
        return job_menu(self, self.jobs_near(t, near), self.stop_asked.emit, self.retry_asked.emit)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Of the jobs under the mouse, or at the selected micro-turn."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            if self.model.selected is None:
                return
            t = self.model.selected * CHUNK_S
            at = self.mapToGlobal(QPoint(round(self.scale().x(t)), self.height() // 2))
            menu = self.job_menu(t)
        else:
            scale, at = self.scale(), event.globalPos()
            menu = self.job_menu(scale.t(event.x()), 8 / scale.px_per_s) if event.x() >= px(GUTTER) else None
        if menu is not None:
            menu.popup(at)

    def stop_selected(self) -> None:
        """Stop the newest job that is open at the selected micro-turn."""
        if self.model.selected is not None:
            running = [job for job in self.jobs_near(self.model.selected * CHUNK_S) if job.t1 is None]
            if running:
                self.stop_asked.emit(running[0].id)

    # keyboard

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The ring tells where the keys go; who clicks knows."""
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._focus_by_key = event.reason() in reasons
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not keys.press(self, event.key(), event.modifiers()):
            super().keyPressEvent(event)
