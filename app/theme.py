"""Colours, fonts and the style sheet of the window, light and dark.

Text keeps a contrast of at least 4.5:1 on what it is drawn on, shapes 3:1
(WCAG 2.2, 1.4.3 and 1.4.11); tests/app/test_theme.py checks every pair.
"""

from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from engine.paths import asset

FAMILY = "Inter"
GAP = 8
"""Spacing unit in logical pixels; every distance is a multiple of its half."""


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``."""

    name: str
    window: str
    surface: str
    raised: str
    border: str
    text: str
    dim: str
    accent: str
    on_accent: str
    accent_soft: str
    user: str
    """Bubbles and levels of the person."""
    user_level: str
    assistant_level: str
    danger: str
    warning: str
    ok: str
    decisions: tuple[str, str, str, str, str, str]
    """listen, speak, backchannel, interrupt, yield, and one this version does not know."""
    on_decisions: tuple[str, str, str, str, str, str]


LIGHT = Theme(
    name="light",
    window="#f3f4f7",
    surface="#ffffff",
    raised="#eaedf2",
    border="#d5dae2",
    text="#1a1e26",
    dim="#545e6d",
    accent="#2b55cf",
    on_accent="#ffffff",
    accent_soft="#e3eafc",
    user="#e3eafc",
    user_level="#0f7c8a",
    assistant_level="#2b55cf",
    danger="#b3261e",
    warning="#8f5300",
    ok="#1b7a55",
    decisions=("#8691a3", "#2b55cf", "#1b7a55", "#bf430d", "#8a3cc4", "#3f4754"),
    on_decisions=("#12161d", "#ffffff", "#ffffff", "#ffffff", "#ffffff", "#ffffff"),
)
DARK = Theme(
    name="dark",
    window="#101216",
    surface="#181b21",
    raised="#23272f",
    border="#343a45",
    text="#e9ecf1",
    dim="#a3acba",
    accent="#8eb0ff",
    on_accent="#0d1320",
    accent_soft="#23304f",
    user="#23304f",
    user_level="#4fc3cf",
    assistant_level="#8eb0ff",
    danger="#ff8a80",
    warning="#f2b457",
    ok="#5fcf9f",
    decisions=("#6b7587", "#7fa4ff", "#55c798", "#ff9c66", "#c996ff", "#c3cad5"),
    on_decisions=("#ffffff", "#0d1320", "#0d1320", "#0d1320", "#0d1320", "#0d1320"),
)


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def mix(first: str, second: str, share: float) -> str:
    """``first`` with ``share`` of ``second``."""
    pairs = [(int(first[k : k + 2], 16), int(second[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def argb(colour: str) -> int:
    """As a pixel of an RGB32 image."""
    return 0xFF000000 | int(colour[1:], 16)


@cache
def q(colour: str, alpha: int = 255) -> QColor:
    made = QColor(colour)
    made.setAlpha(alpha)
    return made


def choose(preference: str) -> Theme:
    """``light`` or ``dark``; anything else follows the system."""
    if preference in ("light", "dark"):
        return LIGHT if preference == "light" else DARK
    return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


def load_fonts(app: QApplication) -> None:
    """Use the bundled typeface; call before any widget exists. Without its files Qt uses the system's."""
    for weight in ("Regular", "Medium", "SemiBold"):
        QFontDatabase.addApplicationFont(str(asset(f"fonts/Inter-{weight}.otf")))
    app.setFont(font())


@cache
def font(points: float = 10, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
    """The window's typeface; ``tabular`` figures keep changing numbers from jumping."""
    made = QFont(FAMILY)
    made.setPointSizeF(points)
    made.setWeight(weight)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


@cache
def icon(name: str, colour: str, size: int = 20) -> QIcon:
    """An icon of ``assets/icons`` in one colour, sharp at one to three times its size."""
    svg = asset(f"icons/{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    made = QIcon()
    for scale in (1, 2, 3):
        pixmap = QPixmap(QSize(size, size) * scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        made.addPixmap(pixmap)
    return made


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole application this theme."""
    app.setStyle("Fusion")
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface,
        role.AlternateBase: theme.raised, role.Text: theme.text, role.Button: theme.surface,
        role.ButtonText: theme.text, role.ToolTipBase: theme.text, role.ToolTipText: theme.surface,
        role.Highlight: theme.accent, role.HighlightedText: theme.on_accent, role.Link: theme.accent,
        role.PlaceholderText: theme.dim, role.Mid: theme.border, role.Light: theme.surface,
    }.items():  # fmt: skip
        palette.setColor(which, q(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, q(mix(theme.dim, theme.surface, 0.35)))
    app.setPalette(palette)
    app.setStyleSheet(style_sheet(theme))


def style_sheet(theme: Theme) -> str:
    """Rounded, flat and roomy; roles are set as dynamic property ``kind``."""
    t = theme
    hover, pressed = mix(t.raised, t.text, 0.05), mix(t.raised, t.text, 0.11)
    return f"""
    QMainWindow, QDialog {{ background: {t.window}; }}
    QMenuBar {{ background: {t.window}; padding: 3px 8px; }}
    QMenuBar::item {{ padding: 5px 10px; border-radius: 6px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.raised}; }}
    QMenu {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px; padding: 5px; }}
    QMenu::item {{ padding: 6px 26px 6px 26px; border-radius: 5px; }}
    QMenu::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.dim}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 5px 8px; }}
    QMenu::indicator {{ width: 12px; height: 12px; margin-left: 8px; }}
    QToolTip {{ background: {t.text}; color: {t.surface}; border: none; padding: 5px 8px; }}
    QLabel[kind="title"] {{ font-size: 16pt; font-weight: 600; }}
    QLabel[kind="heading"] {{ font-size: 11pt; font-weight: 600; }}
    QLabel[kind="dim"] {{ color: {t.dim}; }}
    QLabel[kind="label"] {{ color: {t.dim}; font-size: 9pt; font-weight: 500; }}
    QLabel[kind="notice"] {{ background: {mix(t.surface, t.warning, 0.14)}; color: {t.text};
        border-radius: 8px; padding: 7px 12px; }}
    QLabel[kind="note"] {{ background: {t.raised}; color: {t.text}; border-radius: 8px; padding: 7px 12px; }}
    QFrame[kind="card"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 12px; }}
    QFrame[kind="rule"] {{ background: {t.border}; border: none; max-height: 1px; min-height: 1px; }}
    QPushButton, QToolButton {{ background: {t.raised}; border: 1px solid transparent; border-radius: 8px;
        padding: 6px 12px; color: {t.text}; }}
    QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
    QPushButton:pressed, QToolButton:pressed {{ background: {pressed}; }}
    QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {mix(t.dim, t.surface, 0.35)}; }}
    QPushButton:checked, QToolButton:checked {{ background: {t.accent_soft}; border: 1px solid {t.accent}; }}
    QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; font-weight: 600; }}
    QPushButton[kind="primary"]:hover {{ background: {mix(t.accent, t.text, 0.12)}; }}
    QPushButton[kind="primary"]:disabled {{ background: {t.raised}; color: {t.dim}; }}
    QPushButton[kind="primary"]:focus {{ border: 2px solid {t.text}; }}
    QToolButton[kind="quiet"] {{ background: transparent; padding: 4px 7px; }}
    QToolButton[kind="quiet"]:hover {{ background: {t.raised}; }}
    QToolButton[kind="quiet"]:checked {{ background: {t.accent_soft}; border: 1px solid {t.accent}; }}
    QToolButton[kind="device"] {{ background: transparent; padding: 5px 6px; text-align: left; }}
    QToolButton[kind="device"]:hover {{ background: {t.raised}; }}
    QToolButton::menu-indicator {{ image: none; width: 0; }}
    QToolButton[kind="small"] {{ padding: 2px 8px; border-radius: 6px; font-size: 9pt; }}
    QFrame[kind="row"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 10px; }}
    QFrame[kind="row"]:focus {{ border: 1px solid {t.accent}; }}
    QLabel[kind="steps"] {{ background: {t.raised}; border-radius: 6px; padding: 6px 8px; font-size: 9pt; }}
    QFrame[kind="question"] {{ background: {mix(t.surface, t.warning, 0.14)};
        border: 2px solid {t.warning}; border-radius: 12px; }}
    QLineEdit {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 10px;
        padding: 8px 12px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QLineEdit:focus {{ border: 1px solid {t.accent}; }}
    QLineEdit:disabled {{ background: {t.window}; color: {t.dim}; }}
    QListView {{ background: transparent; border: none; outline: none; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {mix(t.border, t.dim, 0.4)}; border-radius: 3px;
        min-height: 32px; }}
    QScrollBar::handle:vertical:hover {{ background: {t.dim}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: none; height: 0; width: 0; }}
    QSplitter::handle {{ background: transparent; }}
    QStatusBar {{ background: {t.window}; color: {t.dim}; }}
    QStatusBar::item {{ border: none; }}
    """
