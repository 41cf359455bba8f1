"""Everything the window can do, as actions with names, shortcuts and menus."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.device_menus import DeviceMenus
from app.theme import Theme, icon

MENUS = ("&Session", "&Devices", "&View", "&Inspect", "&Present", "&Help")

THEMES = (("system", "&System"), ("light", "&Light"), ("dark", "&Dark"))

TIMELINE_KEYS = (
    ("Left, Right", "select the previous or next micro-turn"),
    ("Ctrl+Left, Ctrl+Right", "select where the decision changed"),
    ("Shift+Left, Shift+Right", "move along the timeline; also Shift and wheel, or drag"),
    ("Page Up, Page Down", "move by a whole view"),
    ("Ctrl+Shift+Left, Ctrl+Shift+Right", "select a range from the selected micro-turn; also Alt and drag"),
    ("Home, End", "first and newest micro-turn"),
    ("+, -", "zoom; also the wheel"),
    ("0", "show the whole session"),
    ("Space", "follow the session, or pause following; play a recorded one"),
    ("1 to 7", "judge the selected micro-turn"),
    ("Delete", "stop a background job that is open at the selected micro-turn; also the context menu"),
)


class Actions(QObject):
    """Named after what they do; the main window connects them."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._menus: dict[str, QMenu] = {}
        self._added: list[QAction] = []
        self.toggle = self._add(window, "&Start", "Ctrl+Return", "Start or stop the session")
        self.mute = self._add(window, "&Mute", "Ctrl+M", "Close the microphone", checkable=True)
        self.silence = self._add(window, "S&top speaking", "Esc", "Silence the assistant at once")
        self.mark = self._add(window, "Mar&k this moment", "Ctrl+K", "Put a mark on the timeline")
        self.cancel = self._add(
            window, "&Cancel background work", "Ctrl+B", "Give up what is being worked on"
        )
        self.share = self._add(
            window, "S&hare a file…", "Ctrl+Shift+O", "Let the assistant read a file, and no other"
        )
        self.allow = self._add(window, "&Allow", "Ctrl+Shift+Y", "Allow what the background asks for")
        self.deny = self._add(window, "&Don’t allow", "Ctrl+Shift+N", "Refuse what the background asks for")
        self.record = self._add(
            window, "&Record sessions", "Ctrl+R", "Save sound, pictures and timeline of the next session",
            checkable=True,
        )  # fmt: skip
        self.open = self._add(window, "&Open recorded session…", "Ctrl+O", "Show a recorded session")
        self.show_folder = self._add(window, "Show recordings &folder", "", "Open the folder of recordings")
        self.leave = self._add(window, "&Back to live", "Ctrl+L", "Leave the recorded session")
        self.quit = self._add(window, "&Quit", QKeySequence.StandardKey.Quit, "Close the window")
        self.follow = self._add(
            window, "&Follow", "Ctrl+Shift+F", "Keep the newest micro-turn in view", checkable=True
        )
        self.zoom_in = self._add(window, "Zoom &in", QKeySequence.StandardKey.ZoomIn, "Show less time")
        self.zoom_out = self._add(window, "Zoom &out", QKeySequence.StandardKey.ZoomOut, "Show more time")
        self.fit = self._add(window, "&Whole session", "Ctrl+0", "Show the whole session")
        self.details = self._add(
            window, "&Details", "Ctrl+D", "Why a micro-turn was decided so", checkable=True
        )
        self.timeline = self._add(
            window, "Time&line", "Ctrl+Shift+T", "Show each decision below the conversation", checkable=True
        )
        self.jobs = self._add(
            window, "Background &jobs", "Ctrl+J", "Show what is worked on in the background", checkable=True
        )
        self.type = self._add(window, "&Type", "Ctrl+T", "Go to the text field")
        self.shortcuts = self._add(window, "&Keyboard shortcuts", "F1", "List the keyboard shortcuts")
        self.about = self._add(window, "&About Microturn", "", "Version and licences")
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.themes = QActionGroup(window)
        for value, name in THEMES:
            action = self.themes.addAction(name)
            action.setCheckable(True)
            action.setData(value)

    def _add(
        self,
        window: QMainWindow,
        text: str,
        shortcut: str | QKeySequence.StandardKey,
        tip: str,
        checkable: bool = False,
    ) -> QAction:
        action = QAction(text, window)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown})" if shown else tip)
        action.setStatusTip(tip)
        action.setCheckable(checkable)
        # Shortcuts work wherever the action is shown, and also where it is not.
        window.addAction(action)
        return action

    def add(
        self,
        menu: str,
        text: str,
        shortcut: str,
        tip: str,
        call: Callable[..., object],
        *,
        checkable: bool = False,
    ) -> QAction:
        """A feature's command, at the end of a menu of ``MENUS`` but before Quit; ``call`` gets whether it
        is checked.

        Raises:
            ValueError: there is no such menu, or the shortcut is taken.
        """
        wanted = QKeySequence(shortcut)
        if shortcut and any(action.shortcut() == wanted for action in self.everything()):
            raise ValueError(f"the shortcut {shortcut} is taken")
        if menu not in self._menus:
            raise ValueError(f"there is no menu {menu!r}")
        action = self._add(self._window, text, shortcut, tip, checkable)
        action.setIconVisibleInMenu(False)
        action.triggered.connect(call)
        self._added.append(action)
        shown = self._menus[menu]
        if self.quit in shown.actions():
            shown.insertAction(self.quit, action)
        else:
            shown.addAction(action)
        shown.menuAction().setVisible(True)
        return action

    def menu(self, name: str) -> QMenu:
        """A menu of ``MENUS``, for separators and submenus."""
        self._menus[name].menuAction().setVisible(True)
        return self._menus[name]

    def set_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        for action, name in (
            (self.silence, "silence"),
            (self.follow, "follow"),
            (self.zoom_in, "zoom-in"),
            (self.zoom_out, "zoom-out"),
            (self.fit, "fit"),
            (self.details, "details"),
            (self.open, "folder"),
            (self.mark, "mark"),
        ):
            action.setIcon(icon(name, theme.text, 18))
        self.show_muted(self.mute.isChecked(), theme)
        for action in self.everything():
            action.setIconVisibleInMenu(False)

    def show_muted(self, muted: bool, theme: Theme) -> None:
        """The button says what a press does."""
        self.mute.setChecked(muted)
        self.mute.setText("Un&mute" if muted else "&Mute")
        name, colour = ("microphone-off", theme.warning) if muted else ("microphone", theme.text)
        self.mute.setIcon(icon(name, colour, 18))

    def everything(self) -> list[QAction]:
        own = [value for value in vars(self).values() if isinstance(value, QAction)]
        return [*own, *self._added]

    def fill_menus(self, window: QMainWindow, devices: DeviceMenus) -> None:
        """The menu bar."""
        self._menus = {name: window.menuBar().addMenu(name) for name in MENUS}
        session, device_menu, view, inspect, present, help_menu = self._menus.values()
        for empty in (inspect, present):
            empty.menuAction().setVisible(False)
        session.addActions([self.toggle, self.mute, self.silence, self.mark])
        session.addSeparator()
        session.addActions([self.share, self.allow, self.deny, self.cancel])
        session.addSeparator()
        session.addActions([self.record, self.show_folder])
        session.addSeparator()
        session.addActions([self.open, self.leave])
        session.addSeparator()
        session.addAction(self.quit)
        for menu in (devices.inputs, devices.outputs, devices.cameras):
            device_menu.addMenu(menu)
        view.addActions([self.follow, self.zoom_in, self.zoom_out, self.fit])
        view.addSeparator()
        view.addActions([self.timeline, self.details, self.jobs, self.type])
        view.addSeparator()
        theme_menu: QMenu = view.addMenu("&Theme")
        theme_menu.addActions(self.themes.actions())
        help_menu.addActions([self.shortcuts, self.about])


JOB_KEYS = (
    ("Up, Down", "the job above or below"),
    ("Return", "what happened to it in detail"),
    ("Delete", "stop it"),
    ("R", "try it again"),
)


SESSION_KEYS = (
    ("Up, Down", "the session above or below; with Shift or Ctrl, more than one"),
    ("Return", "open it"),
    ("F2", "name it"),
    ("Delete", "delete it, after a question"),
    ("Esc", "back to the conversation"),
)
MARK_KEYS = (
    ("Return", "go to it on the timeline"),
    ("F2", "change it"),
    ("Delete", "remove it"),
)
PLACES = (
    ("On the timeline", TIMELINE_KEYS),
    ("On a background job", JOB_KEYS),
    ("In the list of sessions", SESSION_KEYS),
    ("In the list of marks", MARK_KEYS),
)


def shortcuts_text(actions: Actions) -> str:
    """Every shortcut, a line each."""
    lines = [
        f"{action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)}\t{action.statusTip()}"
        for action in actions.everything()
        if not action.shortcut().isEmpty()
    ]
    for place, keys in PLACES:
        lines += ["", place, *(f"{key}\t{what}" for key, what in keys)]
    return "\n".join(lines)
