"""Colours, fonts and the style sheet of the window: light, dark, and high contrast.

Text keeps a contrast of at least 4.5:1 on what it is drawn on, shapes 3:1
(WCAG 2.2, 1.4.3 and 1.4.11), and text 7:1 in the theme of high contrast
(1.4.6); tests/app/test_theme.py checks every pair. All text grows and shrinks
with ``set_text_scale``. Everything here belongs to Qt's thread.
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
    thinking: str
    """The state of following what is being said."""
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
    thinking="#a3246d",
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
    thinking="#f29bc9",
    decisions=("#6b7587", "#7fa4ff", "#55c798", "#ff9c66", "#c996ff", "#c3cad5"),
    on_decisions=("#ffffff", "#0d1320", "#0d1320", "#0d1320", "#0d1320", "#0d1320"),
)
CONTRAST = Theme(
    name="contrast",
    window="#000000",
    surface="#000000",
    raised="#1c1c1c",
    border="#ffffff",
    text="#ffffff",
    dim="#e6e6e6",
    accent="#ffe14d",
    on_accent="#000000",
    accent_soft="#2e2a00",
    user="#00304a",
    user_level="#4de8f4",
    assistant_level="#ffe14d",
    danger="#ffaaa3",
    warning="#ffc766",
    ok="#7dffb8",
    thinking="#ffb3e0",
    decisions=("#8c8c8c", "#ffe14d", "#7dffb8", "#ffab7a", "#dcb8ff", "#ffffff"),
    on_decisions=("#000000", "#000000", "#000000", "#000000", "#000000", "#000000"),
)
"""White on black, with borders that can be seen."""

BY_NAME = {theme.name: theme for theme in (LIGHT, DARK, CONTRAST)}
TEXT_SCALES = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
"""Steps of the text's size; 1 is the size as designed."""
_text_scale = 1.0


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
    """A theme by its name; any other name follows the system."""
    if preference in BY_NAME:
        return BY_NAME[preference]
    return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


def text_scale() -> float:
    """By how much all text is larger than designed."""
    return _text_scale


def set_text_scale(scale: float) -> bool:
    """Make all text larger or smaller, from 0.8 to 2; whether that changed anything.

    Fonts asked for from now on have the new size; ``apply`` brings the style
    sheet up to date, and a widget that keeps sizes has to ask for them again.
    """
    global _text_scale
    wanted = min(max(scale, TEXT_SCALES[0]), TEXT_SCALES[-1]) if scale == scale else 1.0
    changed = wanted != _text_scale
    _text_scale = wanted
    return changed


def next_text_scale(step: int) -> float:
    """The size ``step`` steps above the present one, or below it."""
    near = min(range(len(TEXT_SCALES)), key=lambda k: abs(TEXT_SCALES[k] - _text_scale))
    return TEXT_SCALES[min(max(near + step, 0), len(TEXT_SCALES) - 1)]


def px(designed: float) -> int:
    """A length that has to hold text, in pixels at the present size of text."""
    return round(designed * _text_scale)


def load_fonts(app: QApplication) -> None:
    """Use the bundled typeface; call before any widget exists. Without its files Qt uses the system's."""
    for weight in ("Regular", "Medium", "SemiBold"):
        QFontDatabase.addApplicationFont(str(asset(f"fonts/Inter-{weight}.otf")))
    app.setFont(font())


def font(points: float = 10, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
    """The window's typeface at ``points`` times the text scale; ``tabular`` figures do not jump."""
    return _font(points * _text_scale, weight, tabular)


@cache
def _font(points: float, weight: QFont.Weight, tabular: bool) -> QFont:
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
    app.setFont(font())
    app.setStyleSheet(style_sheet(theme))


def style_sheet(theme: Theme) -> str:
    """Rounded, flat and roomy; roles are set as dynamic property ``kind``."""
    t = theme
    pt = _points
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
    QLabel[kind="title"] {{ font-size: {pt(16)}; font-weight: 600; }}
    QLabel[kind="heading"] {{ font-size: {pt(11)}; font-weight: 600; }}
    QLabel[kind="body"] {{ font-size: {pt(12)}; }}
    QLabel[kind="dim"] {{ color: {t.dim}; }}
    QLabel[kind="label"] {{ color: {t.dim}; font-size: {pt(9)}; font-weight: 500; }}
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
    QToolButton[kind="small"] {{ padding: 2px 8px; border-radius: 6px; font-size: {pt(9)}; }}
    QFrame[kind="row"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 10px; }}
    QFrame[kind="row"]:focus {{ border: 1px solid {t.accent}; }}
    QLabel[kind="steps"] {{ background: {t.raised}; border-radius: 6px; padding: 6px 8px;
        font-size: {pt(9)}; }}
    QFrame[kind="question"] {{ background: {mix(t.surface, t.warning, 0.14)};
        border: 2px solid {t.warning}; border-radius: 12px; }}
    QLineEdit {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 10px;
        padding: 8px 12px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
    QLineEdit:focus {{ border: 1px solid {t.accent}; }}
    QLineEdit:disabled {{ background: {t.window}; color: {t.dim}; }}
    QListView {{ background: transparent; border: none; outline: none; }}
    QTableView {{ background: {t.surface}; border: 1px solid {t.border}; outline: none; }}
    QTableView:focus {{ border: 1px solid {t.accent}; }}
    QTableView::item {{ padding: 2px 6px; border: none; }}
    QTableView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QTableView::item:focus {{ border: 1px solid {t.accent}; }}
    QTableView QLineEdit {{ border-radius: 0; padding: 0 4px; }}
    QHeaderView {{ background: transparent; border: none; }}
    QHeaderView::section {{ background: {t.surface}; color: {t.dim}; border: none;
        border-bottom: 1px solid {t.border}; padding: 5px 6px; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
    QScrollBar::handle:vertical {{ background: {mix(t.border, t.dim, 0.4)}; border-radius: 3px;
        min-height: 32px; }}
    QScrollBar::handle:vertical:hover {{ background: {t.dim}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
        background: none; height: 0; width: 0; }}
    QProgressBar {{ background: {t.raised}; border: none; border-radius: 4px; min-height: 8px;
        max-height: 8px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 4px; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QSplitter::handle {{ background: transparent; }}
    QStatusBar {{ background: {t.window}; color: {t.dim}; }}
    QStatusBar::item {{ border: none; }}
    """


def _points(designed: float) -> str:
    """A size for the style sheet."""
    return f"{designed * _text_scale:g}pt"
