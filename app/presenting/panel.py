"""What the parts of the presenter window share: type that grows with the window, and painting on demand."""

from functools import lru_cache

from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from app.theme import FAMILY, Theme, q


@lru_cache(maxsize=128)
def type_of(pixels: int, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
    """The window's typeface, so many pixels high: fitted to the window, whatever the text's scale is."""
    made = QFont(FAMILY)
    made.setPixelSize(max(pixels, 6))
    made.setWeight(weight)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


class Panel(QWidget):
    """A part that paints itself. ``unit`` is the window's height, or what stands for it in a narrow one."""

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.unit = 720
        self.setAccessibleName(name)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def set_unit(self, unit: int) -> None:
        self.unit = unit
        self.update()

    def px(self, part: float) -> int:
        """``unit`` divided by ``part``, in whole pixels."""
        return max(round(self.unit / part), 1)

    def painter(self) -> QPainter:
        """Begun on the panel's ground."""
        made = QPainter(self)
        made.setRenderHint(QPainter.RenderHint.Antialiasing)
        made.fillRect(self.rect(), q(self.theme.window))
        return made
