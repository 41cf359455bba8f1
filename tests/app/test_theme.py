"""Legibility of every theme, in numbers."""

import re

import pytest

from app.theme import CONTRAST, DARK, LIGHT, Theme, choose, contrast, icon, mix, style_sheet
from engine.paths import asset

EACH = pytest.mark.parametrize("theme", [LIGHT, DARK, CONTRAST], ids=lambda theme: theme.name)


def test_contrast_is_the_known_one():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == pytest.approx(1)


@EACH
def test_text_keeps_four_and_a_half_to_one(theme: Theme):
    grounds = (theme.window, theme.surface, theme.raised, theme.user, mix(theme.surface, theme.warning, 0.14))
    for ground in grounds:
        assert contrast(theme.text, ground) >= 4.5
    for ground in grounds:
        assert contrast(theme.dim, ground) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.text, theme.accent_soft) >= 4.5
    for colour in (theme.danger, theme.warning, theme.ok):
        assert contrast(colour, theme.surface) >= 4.5
    for on, colour in zip(theme.on_decisions, theme.decisions, strict=True):
        assert contrast(on, colour) >= 4.5


def test_high_contrast_keeps_seven_to_one():
    t = CONTRAST
    soft = mix(t.surface, t.warning, 0.14)
    for ground in (t.window, t.surface, t.raised, t.user, t.accent_soft, soft):
        assert contrast(t.text, ground) >= 7
    for ground in (t.window, t.surface, t.raised, soft):
        assert contrast(t.dim, ground) >= 7
    for colour in (t.danger, t.warning, t.ok, t.thinking, t.accent, t.border):
        assert contrast(colour, t.surface) >= 7
    assert contrast(t.on_accent, t.accent) >= 7
    assert contrast(t.surface, t.text) >= 7, "tool tips"


@EACH
def test_shapes_keep_three_to_one(theme: Theme):
    for colour in (*theme.decisions, theme.user_level, theme.assistant_level, theme.accent, theme.thinking):
        assert contrast(colour, theme.surface) >= 3


@EACH
def test_text_on_timeline_bars_is_legible(theme: Theme):
    bars = (
        mix(theme.surface, theme.user_level, 0.16),
        mix(theme.surface, theme.assistant_level, 0.16),
        mix(theme.surface, theme.warning, 0.32),
        mix(theme.surface, theme.ok, 0.38),
    )
    for bar in bars:
        assert contrast(theme.text, bar) >= 4.5


@EACH
def test_the_style_sheet_is_whole(theme: Theme):
    sheet = style_sheet(theme)
    assert sheet.count("{") == sheet.count("}")
    assert not re.search(r"\{\w+\.", sheet)


def test_a_chosen_theme_wins_over_the_system(qapp):
    assert choose("light") is LIGHT
    assert choose("dark") is DARK
    assert choose("contrast") is CONTRAST
    assert choose("system") in (LIGHT, DARK)


def test_every_icon_draws_something(qapp):
    files = sorted(asset("icons").glob("*.svg"))
    assert len(files) > 15
    for file in files:
        image = icon(file.stem, "#ff0000", 20).pixmap(20, 20).toImage()
        drawn = sum(image.pixelColor(x, y).alpha() > 60 for x in range(0, 20, 2) for y in range(0, 20, 2))
        assert drawn >= 3, file.name


def test_the_bundled_typeface_is_used(qapp):
    from PySide6.QtGui import QFontDatabase

    assert "Inter" in QFontDatabase.families()
    assert qapp.font().family() == "Inter"
