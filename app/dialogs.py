"""The window's two small dialogs."""

from PySide6.QtCore import QSize, QSysInfo, Qt, qVersion
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.theme import GAP
from engine import __version__


def _dialog(parent: QWidget, title: str, heading: str, body: QWidget) -> QDialog:
    """Non-modal, and gone when it is closed."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    first = QLabel(heading)
    first.setProperty("kind", "heading")
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(3 * GAP, 3 * GAP, 3 * GAP, 2 * GAP)
    layout.setSpacing(2 * GAP)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # arrows and pages scroll
    area.setAccessibleName(heading)
    area.setWidget(body)
    layout.addWidget(first)
    layout.addWidget(area, 1)
    layout.addWidget(buttons)
    wanted = body.sizeHint() + QSize(6 * GAP + 20, 16 * GAP + first.sizeHint().height())
    dialog.resize(wanted.boundedTo(parent.screen().availableSize() * 0.9))
    dialog.show()
    buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
    return dialog


def show_shortcuts(parent: QWidget, text: str) -> QDialog:
    """``text``: lines of keys, a tab, and what they do; a line without a tab is a heading."""
    body = QWidget()
    grid = QGridLayout(body)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(3 * GAP)
    grid.setVerticalSpacing(GAP - 3)
    for row, line in enumerate(text.splitlines()):
        keys, _, what = line.partition("\t")
        label = QLabel(keys)
        if what:
            label.setProperty("kind", "dim")
            grid.addWidget(QLabel(what), row, 1)
        grid.addWidget(label, row, 0)
    return _dialog(parent, "Keyboard shortcuts", "Keyboard shortcuts", body)


def show_about(parent: QWidget) -> QDialog:
    """Version, system and licences."""
    body = QLabel(
        "An assistant that listens, watches and talks at the same time, on your own computer.\n"
        "You are talking with an AI: it can be wrong, and its voice is synthetic.\n\n"
        f"Qt {qVersion()} · {QSysInfo.prettyProductName()}\n"
        "Apache License 2.0. The typeface Inter is under the SIL Open Font License 1.1."
    )
    return _dialog(parent, "About Microturn", f"Microturn {__version__}", body)
