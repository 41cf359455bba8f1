"""The timeline as a widget: input events, and the order in which tracks are painted."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from app.text import one_line
from app.theme import Theme, font, q
from app.timeline import item_tracks, tracks
from app.timeline.explain import hover_text, job_text
from app.timeline.items import Job
from app.timeline.model import TimelineModel
from app.timeline.time_scale import TimeScale, clock_label, ticks
from app.timeline.tracks import View
from app.timeline.viewport import Viewport
from engine.config import CHUNK_S

GUTTER = 104
RULER = 24
OVERVIEW = 26
DRAG_PX = 4
"""A press that moves less than this is a click."""
_PAN_SHARE = 0.15
_ZOOM_STEP = 1.5
_MENU_JOBS = 6


@dataclass(frozen=True)
class Lane:
    """One painted strip. ``weight`` is its height in pixels at the natural size."""

    name: str
    label: str
    weight: int
    paint: Callable[[QPainter, float, float, View], None]
    space_before: int = 0


LANES = (
    Lane("user", "You", 34, tracks.paint_user, 8),
    Lane("user_words", "", 19, item_tracks.paint_user_words, 2),
    Lane("decision", "Decision", 34, tracks.paint_decisions, 9),
    Lane("probs", "Probability", 22, tracks.paint_probs, 3),
    Lane("assistant", "Assistant", 44, tracks.paint_assistant, 9),
    Lane("assistant_words", "", 19, item_tracks.paint_assistant_words, 2),
    Lane("jobs", "Background", 45, item_tracks.paint_jobs, 9),
    Lane("compute", "Compute", 34, tracks.paint_compute, 9),
    Lane("events", "Events", 20, item_tracks.paint_instants, 7),
)


class TimelineWidget(QWidget):
    """Shows a TimelineModel through a Viewport; keyboard and mouse change both."""

    selection_changed = Signal()
    follow_changed = Signal(bool)
    stop_asked = Signal(int)
    retry_asked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.model = TimelineModel()
        self.viewport = Viewport()
        self._press: QPointF | None = None
        self._dragging = False
        self._overview_drag = False
        self._was_following = True
        self._focus_by_key = False
        self.can_act = False
        """The session shown runs, so its jobs can be stopped and tried again."""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 250)
        self.setAccessibleName("Timeline")
        self.setAccessibleDescription(
            "Micro-turns of the session. Left and right arrows select a micro-turn, "
            "with control they jump to the next change of decision; plus and minus zoom; space follows."
        )

    def sizeHint(self) -> QSize:
        return QSize(900, RULER + OVERVIEW + sum(lane.weight + lane.space_before for lane in LANES) + 8)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_model(self, model: TimelineModel, follow: bool) -> None:
        """Show another session: following its end, or all of it."""
        self.model = model
        self.viewport = Viewport(follow=follow)
        self.refresh()
        if not follow:
            self.viewport.fit()
        self._told()
        self.selection_changed.emit()

    def refresh(self) -> None:
        """The model has grown."""
        self.viewport.set_content(self.model.first_s, self.model.end_s)
        self.update()

    def set_follow(self, follow: bool) -> None:
        self.viewport.set_follow(follow)
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

    @property
    def lane_width(self) -> int:
        return max(self.width() - GUTTER, 1)

    def scale(self) -> TimeScale:
        return TimeScale.of(self.viewport.start_s, self.viewport.span_s, self.lane_width, GUTTER)

    def layout_lanes(self) -> list[tuple[Lane, float, float]]:
        """(lane, top, height) of each; heights share the room there is."""
        spaces = sum(lane.space_before for lane in LANES)
        room = self.height() - RULER - OVERVIEW - spaces - 8
        stretch = min(max(room / sum(lane.weight for lane in LANES), 0.5), 1.8)
        placed, y = [], float(RULER)
        for lane in LANES:
            y += lane.space_before
            placed.append((lane, y, float(round(lane.weight * stretch))))
            y += placed[-1][2]
        return placed

    def lane_at(self, y: float) -> str:
        return next((lane.name for lane, top, height in self.layout_lanes() if top <= y < top + height), "")

    # painting

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # One pixel beyond: a fractional scale leaves an edge otherwise.
        painter.fillRect(self.rect().adjusted(-1, -1, 1, 1), q(self.theme.surface))
        scale, dpr = self.scale(), self.devicePixelRatioF()
        columns = self.model.turns.columns(
            round(scale.first_px * dpr), scale.px_per_s * dpr, round(self.lane_width * dpr)
        )
        view = View(self.model, self.theme, scale, GUTTER, self.lane_width, dpr, columns)
        painter.setClipRect(QRectF(GUTTER, 0, self.lane_width, self.height() - OVERVIEW))
        for lane, top, height in self.layout_lanes():
            lane.paint(painter, top, height, view)
        self._paint_ruler(painter, view)
        self._paint_selection(painter, view)
        painter.setClipping(False)
        self._paint_gutter(painter)
        self._paint_overview(painter, dpr)
        if self.hasFocus() and self._focus_by_key:
            painter.setPen(QPen(q(self.theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _paint_ruler(self, painter: QPainter, view: View) -> None:
        t = self.theme
        small = font(8.5, tabular=True)
        metrics = QFontMetricsF(small)
        painter.setFont(small)
        bottom = self.height() - OVERVIEW
        for tick in ticks(max(view.t0, 0.0), view.t1 - max(view.t0, 0.0), view.scale.px_per_s):
            x = round(view.scale.x(tick.t)) + 0.5
            painter.setPen(q(t.border))
            painter.drawLine(QPointF(x, RULER - (8 if tick.label else 4)), QPointF(x, RULER))
            if tick.label:
                painter.setPen(q(t.dim, 34))
                painter.drawLine(QPointF(x, RULER), QPointF(x, bottom))
                painter.setPen(q(t.dim))
                if x + 4 + metrics.horizontalAdvance(tick.label) < self.width():
                    painter.drawText(QPointF(x + 4, RULER - 9), tick.label)

    def _paint_selection(self, painter: QPainter, view: View) -> None:
        bottom = self.height() - OVERVIEW
        now = view.scale.x(self.model.end_s)
        if self.viewport.follow and self.model.turns.count:
            painter.setPen(QPen(q(self.theme.accent), 1.5))
            painter.drawLine(QPointF(now, RULER - 6), QPointF(now, bottom))
        if self.model.selected is None:
            return
        x = view.scale.x(self.model.selected * CHUNK_S)
        box = QRectF(x - 1, RULER - 6, max(view.cell_px, 1) + 2, bottom - RULER + 6)
        painter.setPen(QPen(q(self.theme.text), 1.4))
        painter.setBrush(q(self.theme.text, 22))
        painter.drawRoundedRect(box, 3, 3)

    def _paint_gutter(self, painter: QPainter) -> None:
        t = self.theme
        painter.fillRect(QRectF(0, 0, GUTTER - 1, self.height()), q(t.surface))
        painter.setPen(q(t.border))
        painter.drawLine(QPointF(GUTTER - 0.5, RULER), QPointF(GUTTER - 0.5, self.height() - OVERVIEW))
        title, small = font(9, QFont.Weight.Medium), font(7.5)
        for lane, top, height in self.layout_lanes():
            if not lane.label:
                continue
            painter.setFont(title)
            painter.setPen(q(t.text if lane.name != "probs" else t.dim))
            box = QRectF(14, top, GUTTER - 20, min(height, 18))
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, lane.label)
            note = {"compute": "200 ms limit", "assistant": "made / heard"}.get(lane.name)
            if note and height >= 26:
                painter.setFont(small)
                painter.setPen(q(t.dim))
                under = QRectF(14, top + 16, GUTTER - 20, 14)
                painter.drawText(under, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, note)

    def _overview_scale(self) -> TimeScale:
        first, length = self.model.first_s, max(self.model.end_s - self.model.first_s, 60.0)
        return TimeScale.of(first, length, self.lane_width - 12, GUTTER)

    def _paint_overview(self, painter: QPainter, dpr: float) -> None:
        """The whole session in one strip, with the visible window framed."""
        t, top = self.theme, self.height() - OVERVIEW + 7.0
        height, width = OVERVIEW - 13.0, self.lane_width - 12
        scale = self._overview_scale()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(q(t.raised))
        painter.drawRoundedRect(QRectF(GUTTER, top, width, height), 3, 3)
        columns = self.model.turns.columns(
            round(scale.first_px * dpr), scale.px_per_s * dpr, round(width * dpr)
        )
        if columns is not None:
            shown = int(columns.present.nonzero()[0][-1]) + 1 if columns.present.any() else 0
            pixels = tracks.decision_pixels(columns, round(height * dpr), t)[:, :shown]
            if shown:
                tracks.draw_pixels(painter, pixels, GUTTER, top, dpr)
        x0 = min(max(scale.x(self.viewport.start_s), GUTTER), GUTTER + width - 6)
        x1 = min(max(scale.x(self.viewport.stop_s), x0 + 6), GUTTER + width)
        painter.setPen(QPen(q(t.text), 1.4))
        painter.setBrush(q(t.text, 18))
        painter.drawRoundedRect(QRectF(x0, top - 2, x1 - x0, height + 4), 3, 3)
        painter.setFont(font(8.5, tabular=True))
        painter.setPen(q(t.dim))
        label = QRectF(14, top - 3, GUTTER - 24, height + 6)
        painter.drawText(
            label, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, clock_label(self.model.end_s)
        )

    # mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._press = event.position()
        self._dragging = False
        self._overview_drag = event.position().y() >= self.height() - OVERVIEW
        if self._overview_drag:
            self._centre_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if self._press is None:
            return
        if self._overview_drag:
            self._centre_at(at.x())
        elif self._dragging or abs(at.x() - self._press.x()) >= DRAG_PX:
            self._dragging = True
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.viewport.pan((self._press.x() - at.x()) / self.scale().px_per_s)
            self._press = at
            self._told()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        clicked = self._press is not None and not self._dragging and not self._overview_drag
        self._press, self._dragging, self._overview_drag = None, False, False
        self.unsetCursor()
        if clicked and event.position().x() >= GUTTER:
            i = self.scale().turn(event.position().x())
            self.model.select(i if self.model.turns.has(i) else None)
            self._selected()

    def _centre_at(self, x: float) -> None:
        self.viewport.centre(self._overview_scale().t(x))
        self._told()

    def wheelEvent(self, event: QWheelEvent) -> None:
        dx, dy = event.angleDelta().x(), event.angleDelta().y()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if abs(dx) > abs(dy) or shift:
            self.viewport.pan(-(dx or dy) / 120 * self.viewport.span_s * _PAN_SHARE)
        elif dy:
            self.viewport.zoom(_ZOOM_STEP ** (dy / 120), self.scale().t(max(event.position().x(), GUTTER)))
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
        if at.x() < GUTTER or at.y() >= self.height() - OVERVIEW:
            return ""
        scale = self.scale()
        t, near = scale.t(at.x()), 8 / scale.px_per_s
        match self.lane_at(at.y()):
            case "events":
                return "\n".join(
                    f"{i.what}: {i.text}" for i in self.model.items.instants.between(t - near, t + near)[:8]
                )
            case "jobs":
                return "\n\n".join(
                    job_text(job) for job in self.model.items.jobs.between(t - near, t + near)[:3]
                )
            case "user_words":
                return "\n".join(u.text for u in self.model.items.user.between(t, t)[:3])
            case "assistant_words":
                said = self.model.items.assistant.between(t, t)[:3]
                return "\n".join(
                    u.text + (f"\ncut off, not heard: {u.unheard}" if u.unheard else "") for u in said
                )
        return hover_text(self.model, scale.turn(at.x()))

    # what can be done about jobs

    def jobs_near(self, t: float, near: float = CHUNK_S) -> list[Job]:
        """Jobs at session second ``t``, the newest first; none where nothing can be done about them."""
        found = self.model.items.jobs.between(t - near, t + near) if self.can_act else []
        return sorted(found, key=lambda job: -job.t0)

    def job_menu(self, t: float, near: float = CHUNK_S) -> QMenu | None:
        """What can be done about the jobs there."""
        jobs = self.jobs_near(t, near)[:_MENU_JOBS]
        if not jobs:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for job in jobs:
            verb, signal = ("Stop", self.stop_asked) if job.t1 is None else ("Try again", self.retry_asked)
            name = one_line(job.request or f"job {job.id}", 60).replace("&", "&&")
            action = menu.addAction(f"{verb}: {name}")
            action.triggered.connect(lambda _=False, signal=signal, number=job.id: signal.emit(number))
        return menu

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
            menu = (
                self.job_menu(scale.t(event.pos().x()), 8 / scale.px_per_s) if event.x() >= GUTTER else None
            )
        if menu is not None:
            menu.popup(at)

    def _stop_selected(self) -> None:
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
        key, mods = event.key(), event.modifiers()
        direction = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key), 0)
        page = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(key), 0)
        if direction and mods & Qt.KeyboardModifier.ControlModifier:
            self.model.step_change(direction)
            self._selected()
        elif direction and mods & Qt.KeyboardModifier.ShiftModifier:
            self.viewport.pan(direction * self.viewport.span_s * _PAN_SHARE)
        elif direction:
            self.model.step(direction)
            self._selected()
        elif page:
            self.viewport.pan(page * self.viewport.span_s * 0.9)
        elif key == Qt.Key.Key_Home:
            self.select(self.model.turns.base)
        elif key == Qt.Key.Key_End:
            self.select(self.model.turns.end - 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_ZOOM_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom(1 / _ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key == Qt.Key.Key_Delete:
            self._stop_selected()
        elif key == Qt.Key.Key_Space:
            self.viewport.set_follow(not self.viewport.follow)
        else:
            super().keyPressEvent(event)
            return
        self._told()
