"""Tools: what the assistant may do, each with its level of permission."""

from functools import partial
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFormLayout, QWidget

from app.preferences.forms import Choices, Page, button, dim, labelled, row
from app.preferences.wording import LEVELS, level_text, tool_text
from app.settings import Settings
from app.shell import Shell
from app.text import one_line
from app.theme import GAP


class ToolsPage(Page):
    """Levels stand in ``tools.json``, which the background process reads at its start."""

    title = "Tools"
    later = True

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.section(
            "What the assistant may do",
            "A tool that asks does so aloud and with a bar in the window. What a tool or a web page says can "
            "never allow anything.",
        )
        self.rows: dict[str, Choices] = {}
        self._listed: QWidget | None = None
        self.servers = dim("")
        self.folder = button("Show settings &folder")
        self.folder.setEnabled(False)
        self.column.addWidget(self.servers)
        self.column.addLayout(row(self.folder, QWidget(), stretch=1))
        self.finish()
        self.folder.clicked.connect(self._show_folder)
        self._folder = ""

    def show_settings(self, settings: Settings) -> None:
        """Nothing here is a setting of the window."""

    def opened(self) -> None:
        def look() -> Any:
            from engine.background.tool_settings import list_tools

            return list_tools()

        self.calls.run(look, self._show)

    def reset(self) -> None:
        """Every listed tool as it comes."""
        changed = [name for name, level in self.rows.items() if level.value]

        def call() -> None:
            from engine.background.tool_settings import change_level

            for name in changed:
                change_level(name, "")

        self.calls.run(call, self._changed)

    def _show(self, found: Any, trouble: str) -> None:
        if found is None:
            self.tell(trouble)
            return
        self.tell(" ".join(one_line(each, 300) for each in found.troubles))
        self._folder = str(found.folder)
        self.folder.setEnabled(found.folder.is_dir())
        named = ", ".join(one_line(name, 40) for name in found.servers)
        self.servers.setText(
            f"Tool servers switched on: {named}." if named else "No tool server is switched on in mcp.json."
        )
        if [tool.name for tool in found.tools] != list(self.rows):
            self._list(found.tools)
        for tool in found.tools:
            options = [(level, level_text(level, str(tool.own))) for level in LEVELS]
            self.rows[tool.name].show_options(options, str(tool.chosen))

    def _list(self, tools: Any) -> None:
        if self._listed is not None:
            self.column.removeWidget(self._listed)
            self._listed.deleteLater()
        self._listed = QWidget()
        form = QFormLayout(self._listed)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * GAP)
        self.rows = {}
        for tool in tools:
            name = one_line(tool.name, 60).replace("_", " ").strip()
            level = Choices(f"Permission of {name}")
            level.setMinimumContentsLength(26)
            about = tool_text(tool.description)
            level.setAccessibleDescription(about)
            labelled(form, name.capitalize().replace("&", "&&"), level)
            form.setWidget(form.rowCount(), QFormLayout.ItemRole.FieldRole, dim(about))
            level.picked.connect(partial(self._set, tool.name))
            self.rows[tool.name] = level
        self.column.insertWidget(2, self._listed)

    def _set(self, name: str, level: str) -> None:
        def call() -> None:
            from engine.background.tool_settings import change_level

            change_level(name, level)

        self.calls.run(call, self._changed)

    def _changed(self, _: Any, trouble: str) -> None:
        self.opened()
        if trouble:
            self.calls.run(lambda: None, lambda *_: self.tell(trouble))

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._folder))
