"""Renders a drawing as SVG 1.1."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from engine.inspect.drawing import Line, Polygon, Rect, Scene, Shape, printable

_FONTS = "Rubik, Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def to_svg(scene: Scene) -> str:
    """A whole SVG document."""
    return "\n".join(_document(scene)) + "\n"


def _document(scene: Scene) -> Iterator[str]:
    width, height = _n(scene.width), _n(scene.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family={quoteattr(_FONTS)}>'
    )
    yield f"<title>{escape(printable(scene.title))}</title>"
    yield f'<rect width="{width}" height="{height}" fill="{scene.background}"/>'
    for shape in scene.shapes:
        yield _element(shape)
    yield "</svg>"


def _element(shape: Shape) -> str:
    if isinstance(shape, Rect):
        radius = f' rx="{_n(shape.radius)}"' if shape.radius else ""
        box = f'x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}"'
        return f'<rect {box}{radius} fill="{shape.fill}"/>'
    if isinstance(shape, Polygon):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points.tolist())
        return f'<polygon points="{points}" fill="{shape.fill}"/>'
    if isinstance(shape, Line):
        ends = f'x1="{_n(shape.x0)}" y1="{_n(shape.y0)}" x2="{_n(shape.x1)}" y2="{_n(shape.y1)}"'
        return f'<line {ends} stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"/>'
    place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{shape.fill}"'
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    weight = "" if shape.weight == 400 else f' font-weight="{shape.weight}"'
    return f"<text {place}{anchor}{weight}>{escape(printable(shape.text))}</text>"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
