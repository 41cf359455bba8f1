"""The settings dialog: a list of pages, and each page with its reset."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QStackedWidget,
    QVBoxLayout,
)

from app.preferences.appearance_page import AppearancePage
from app.preferences.background_page import BackgroundPage
from app.preferences.conversation_page import ConversationPage
from app.preferences.devices_page import DevicesPage
from app.preferences.forms import Page, button, dim
from app.preferences.privacy_page import PrivacyPage
from app.preferences.tools_page import ToolsPage
from app.preferences.wording import NEXT_START
from app.shell import Shell
from app.theme import GAP, mix, px

PAGES = (ConversationPage, BackgroundPage, ToolsPage, DevicesPage, PrivacyPage, AppearancePage)


class PreferencesDialog(QDialog):
    """Non-modal; kept, and hidden when it is closed. Every change is kept at once."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell.window_widget)
        self.shell = shell
        self.setWindowTitle("Settings")
        self.pages: list[Page] = [make(shell) for make in PAGES]
        self.list = QListWidget()
        self.list.setAccessibleName("Pages of settings")
        self.stack = QStackedWidget()
        for page in self.pages:
            self.list.addItem(page.title)
            self.stack.addWidget(page)
        self.later = dim(NEXT_START)
        self.reset = button("Reset this page")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.reset, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.rejected.connect(self.close)
        for each in buttons.buttons():
            each.setProperty("autoDefault", False)
        pages = QHBoxLayout()
        pages.setSpacing(2 * GAP)
        pages.addWidget(self.list)
        pages.addWidget(self.stack, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, 2 * GAP)
        layout.setSpacing(GAP)
        layout.addLayout(pages, 1)
        layout.addWidget(self.later)
        layout.addWidget(buttons)
        self.list.currentRowChanged.connect(self._turn)
        self.reset.clicked.connect(self._reset)
        self.list.setCurrentRow(0)
        shell.signals.settings_changed.connect(self.refresh)
        shell.signals.theme_changed.connect(self.set_looks)
        shell.bridge.session_changed.connect(lambda *_: self._show_later())
        self.set_looks()

    @property
    def page(self) -> Page:
        """The one that is shown."""
        return self.pages[max(0, self.list.currentRow())]

    def show_page(self, title: str = "") -> None:
        """Come forward, with the page of that title where one is given."""
        titles = [page.title for page in self.pages]
        if title in titles:
            self.list.setCurrentRow(titles.index(title))
        self.refresh()
        self.show()
        self.raise_()
        self.activateWindow()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)
        self.page.opened()

    def refresh(self) -> None:
        """Bring every page in line with the settings."""
        settings = self.shell.settings
        for page in self.pages:
            page.show_settings(settings)
        self._show_later()

    def set_looks(self) -> None:
        """Colours and sizes of the theme, where the application's style sheet has none."""
        t = self.shell.theme
        edge = mix(t.border, t.dim, 0.7)
        self.list.setFixedWidth(px(150))
        for number in range(self.list.count()):
            self.list.item(number).setSizeHint(QSize(0, px(32)))
        self.resize(max(self.width(), px(760)), max(self.height(), px(600)))
        self.setStyleSheet(
            f"""
            QListWidget {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px;
                padding: 4px; }}
            QListWidget:focus {{ border: 1px solid {t.accent}; }}
            QListWidget::item {{ padding: 0 9px; border-radius: 6px; color: {t.text}; }}
            QListWidget::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
            QPlainTextEdit {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px;
                padding: 5px 8px; }}
            QPlainTextEdit:focus {{ border: 1px solid {t.accent}; }}
            QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {edge}; }}
            QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -6px 0; border-radius: 8px;
                background: {t.accent}; border: 1px solid {t.surface}; }}
            QSlider::handle:horizontal:focus {{ border: 2px solid {t.text}; }}
            QSlider::handle:horizontal:disabled {{ background: {mix(t.border, t.dim, 0.4)}; }}
            QComboBox {{ background: {t.surface}; border: 1px solid {edge}; border-radius: 8px;
                padding: 5px 24px 5px 9px; color: {t.text}; min-height: {px(18)}px; }}
            QComboBox:focus {{ border: 2px solid {t.accent}; padding: 4px 23px 4px 8px; }}
            QComboBox:disabled {{ background: {t.window}; color: {t.dim}; }}
            QComboBox::drop-down {{ border: none; width: 22px; }}
            QComboBox::down-arrow {{ image: none; }}
            QComboBox QLineEdit {{ border: none; background: transparent; padding: 0; }}
            QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {edge}; color: {t.text};
                selection-background-color: {t.accent_soft}; selection-color: {t.text}; padding: 3px; }}
            QCheckBox {{ spacing: 8px; padding: 3px; border: 2px solid transparent; border-radius: 6px; }}
            QCheckBox:focus {{ border: 2px solid {t.accent}; }}
            QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {t.dim}; border-radius: 4px;
                background: {t.surface}; }}
            QCheckBox::indicator:checked {{ background: {t.accent}; border: 1px solid {t.accent}; }}
            """
        )

    def close_calls(self) -> None:
        """The window closes."""
        for page in self.pages:
            page.close_calls()

    def hideEvent(self, event: QHideEvent) -> None:
        for page in self.pages:
            page.commit()
        super().hideEvent(event)

    def _reset(self) -> None:
        self.page.reset()

    def _turn(self, row: int) -> None:
        self.stack.setCurrentIndex(max(0, row))
        self._show_later()
        if self.isVisible():
            self.page.opened()

    def _show_later(self) -> None:
        self.later.setText(f"{self.page.at_once} {NEXT_START}".strip())
        self.later.setVisible(self.page.later and self.shell.bridge.active)
