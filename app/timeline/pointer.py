"""What the mouse does on the timeline: select, pan, select a range, and drag the minimap's frame."""

from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent

from app.timeline.frame import overview_window

if TYPE_CHECKING:
    from app.timeline.timeline_widget import TimelineWidget

DRAG_PX = 4
"""A press that moves less than this is a click."""
_EDGE_PX = 6
_RESIZABLE_PX = 18
"""A frame narrower than this can only be moved."""


class Grab(Enum):
    NOTHING = auto()
    LANES = auto()
    PANNING = auto()
    RANGE = auto()
    FRAME = auto()
    FRAME_LEFT = auto()
    FRAME_RIGHT = auto()


class Pointer:
    """The mouse buttons' state; acts on its widget."""

    def __init__(self, widget: "TimelineWidget") -> None:
        self._widget = widget
        self._grab = Grab.NOTHING
        self._at = QPointF()
        self._t = 0.0

    def pressed(self, event: QMouseEvent) -> None:
        widget, at = self._widget, event.position()
        self._at = at
        if at.y() >= widget.frame().bottom:
            self._grab = self.over(at)
            window = self._window()
            if self._grab is Grab.FRAME and not window.left() <= at.x() <= window.right():
                widget.centre(widget.overview_scale().t(at.x()))
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and at.x() >= widget.frame().gutter:
            self._grab, self._t = Grab.RANGE, widget.scale().t(at.x())
        else:
            self._grab = Grab.LANES

    def moved(self, event: QMouseEvent) -> None:
        widget, at = self._widget, event.position()
        match self._grab:
            case Grab.NOTHING:
                self._show_cursor(at)
            case Grab.LANES:
                if abs(at.x() - self._at.x()) >= DRAG_PX:
                    self._grab = Grab.PANNING
                    widget.setCursor(Qt.CursorShape.ClosedHandCursor)
                    self.moved(event)
            case Grab.PANNING:
                widget.pan((self._at.x() - at.x()) / widget.scale().px_per_s)
                self._at = at
            case Grab.RANGE:
                t = widget.scale().t(max(at.x(), widget.frame().gutter))
                if abs(at.x() - self._at.x()) >= DRAG_PX:
                    widget.set_range((min(self._t, t), max(self._t, t)))
            case _:
                self._drag_frame(at)

    def released(self, event: QMouseEvent) -> None:
        grab, self._grab = self._grab, Grab.NOTHING
        self._widget.unsetCursor()
        if grab is Grab.LANES and event.position().x() >= self._widget.frame().gutter:
            self._widget.click(event.position().x())

    def over(self, at: QPointF) -> Grab:
        """What of the minimap is under a point."""
        window = self._window()
        if window.width() >= _RESIZABLE_PX:
            if abs(at.x() - window.left()) <= _EDGE_PX:
                return Grab.FRAME_LEFT
            if abs(at.x() - window.right()) <= _EDGE_PX:
                return Grab.FRAME_RIGHT
        return Grab.FRAME

    def _window(self) -> QRectF:
        widget = self._widget
        view = widget.viewport
        return overview_window(widget.frame(), widget.overview_scale(), view.start_s, view.stop_s)

    def _drag_frame(self, at: QPointF) -> None:
        widget, view = self._widget, self._widget.viewport
        t = widget.overview_scale().t(at.x())
        if self._grab is Grab.FRAME_LEFT:
            widget.show_span(min(t, view.stop_s - 0.2), view.stop_s)
        elif self._grab is Grab.FRAME_RIGHT:
            widget.show_span(view.start_s, max(t, view.start_s + 0.2))
        else:
            widget.pan((at.x() - self._at.x()) / widget.overview_scale().px_per_s)
            self._at = at

    def _show_cursor(self, at: QPointF) -> None:
        edge = at.y() >= self._widget.frame().bottom and self.over(at) in (Grab.FRAME_LEFT, Grab.FRAME_RIGHT)
        if edge:
            self._widget.setCursor(Qt.CursorShape.SizeHorCursor)
        else:
            self._widget.unsetCursor()
