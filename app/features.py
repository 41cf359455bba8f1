"""Everything that the window can do beside the conversation and its timeline, made in order."""

from collections.abc import Callable
from typing import Any

from app.camera_switch import CameraSwitch
from app.comparing.feature import CompareFeature
from app.exporting.feature import ExportFeature
from app.hold_to_talk import HoldToTalk
from app.hot_plug import HotPlug
from app.inspecting.feature import Inspecting
from app.marking.feature import MarkingFeature
from app.preferences.feature import PreferencesFeature
from app.presenting.feature import PresenterFeature
from app.sessions.feature import SessionsFeature
from app.sharing import Sharing
from app.shell import Shell
from app.text_size import TextSize
from app.timeline.feature import TimelineMedia
from app.timeline_switch import TimelineSwitch
from app.tray import Tray
from app.watching.feature import Watching
from app.welcome.feature import Welcome

FEATURES: tuple[Callable[[Shell], Any], ...] = (
    Sharing,
    TimelineMedia,
    TimelineSwitch,
    TextSize,
    CameraSwitch,
    HoldToTalk,
    HotPlug,
    Tray,
    Welcome,
    SessionsFeature,
    Inspecting,
    Watching,
    MarkingFeature,
    CompareFeature,
    ExportFeature,
    PresenterFeature,
    PreferencesFeature,
)
"""Each is called once with the finished window; the order is that of the entries in the menus."""


def add_features(shell: Shell) -> list[Any]:
    """Make every feature; whoever gets the list keeps them alive."""
    return [make(shell) for make in FEATURES]
