"""What the keyboard does on the timeline."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from app.timeline.timeline_widget import TimelineWidget

PAN_SHARE = 0.15
"""Part of the view that one step moves it by."""
ZOOM_STEP = 1.5
_VERDICTS = range(Qt.Key.Key_1, Qt.Key.Key_8)
_Key = Qt.Key


def press(timeline: "TimelineWidget", key: int, mods: Qt.KeyboardModifier) -> bool:
    """Do what a key stands for; False for a key that means nothing here."""
    direction = {_Key.Key_Left: -1, _Key.Key_Right: 1}.get(_Key(key), 0)
    page = {_Key.Key_PageUp: -1, _Key.Key_PageDown: 1}.get(_Key(key), 0)
    if direction:
        _arrow(timeline, direction, mods)
    elif page:
        timeline.pan(page * timeline.viewport.span_s * 0.9)
    elif key in _VERDICTS:
        timeline.verdict_asked.emit(key - _Key.Key_0)
    elif call := {
        _Key.Key_Space: timeline.play_or_follow,
        _Key.Key_Home: lambda: timeline.select(timeline.model.turns.base),
        _Key.Key_End: lambda: timeline.select(timeline.model.turns.end - 1),
        _Key.Key_Plus: lambda: timeline.zoom(ZOOM_STEP),
        _Key.Key_Equal: lambda: timeline.zoom(ZOOM_STEP),
        _Key.Key_Minus: lambda: timeline.zoom(1 / ZOOM_STEP),
        _Key.Key_Underscore: lambda: timeline.zoom(1 / ZOOM_STEP),
        _Key.Key_0: timeline.fit,
        _Key.Key_Delete: timeline.stop_selected,
    }.get(_Key(key)):
        call()
    else:
        return False
    return True


def _arrow(timeline: "TimelineWidget", direction: int, mods: Qt.KeyboardModifier) -> None:
    ctrl = bool(mods & Qt.KeyboardModifier.ControlModifier)
    shift = bool(mods & Qt.KeyboardModifier.ShiftModifier)
    if ctrl and shift:
        timeline.extend_range(direction)
    elif shift:
        timeline.pan(direction * timeline.viewport.span_s * PAN_SHARE)
    else:
        timeline.step(direction, to_change=ctrl)
