"""The panel that says why."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton

from app.theme import DARK, LIGHT
from app.timeline.details_panel import DetailsPanel
from app.timeline.explain import explain
from app.timeline.model import TimelineModel
from tests.app.scenario import session, turn


def words(panel: DetailsPanel) -> list[str]:
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)]


def test_it_shows_everything_that_was_explained(qtbot):
    panel = DetailsPanel(LIGHT)
    qtbot.addWidget(panel)
    assert "Select a micro-turn" in " ".join(words(panel))
    model = TimelineModel()
    model.append(session(60))
    model.select(49)
    explanation = explain(model)
    assert explanation is not None
    panel.show_explanation(explanation)
    shown = words(panel)
    for text in (explanation.headline, explanation.when, explanation.verdict):
        assert text in shown
    for section in explanation.sections:
        assert section.title in shown
        for row in section.rows:
            assert row.label in shown
            assert any(row.value in text for text in shown)
    assert "speak" in panel.bars.accessibleDescription()


def test_the_next_one_replaces_it_and_alerts_carry_a_sign(qtbot):
    panel = DetailsPanel(DARK)
    qtbot.addWidget(panel)
    model = TimelineModel()
    model.append([turn(0), turn(1, compute_ms=300.0, deadline_missed=True)])
    for i in (0, 1):
        model.select(i)
        panel.show_explanation(explain(model))
    shown = words(panel)
    assert sum(text == "Timing" for text in shown) == 1
    assert "▲ 300.0 ms of 200 – deadline missed" in shown
    panel.show_explanation(None)
    assert panel.bars.isHidden()


def test_other_tabs_and_what_is_more_than_text(qtbot):
    panel = DetailsPanel(LIGHT)
    qtbot.addWidget(panel)
    panel.resize(360, 400)
    panel.show()
    page, below = QLabel("figures"), QLabel("a picture")
    told: list[int] = []
    number = panel.add_tab("Statistics", page)
    panel.tab_changed.connect(told.append)
    panel.add_below_probabilities(below)
    assert (panel.tab, number) == (0, 1)
    qtbot.waitUntil(below.isVisible)
    panel.show_tab(1)
    assert page.isVisible()
    assert not below.isVisible()
    buttons = [one for one in panel.findChildren(QToolButton) if one.isCheckable()]
    assert [one.text() for one in buttons] == ["Micro-turn", "Statistics"]
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    assert told == [1, 0]
    assert below.isVisible()


def test_words_from_outside_are_never_markup(qtbot):
    panel = DetailsPanel(LIGHT)
    qtbot.addWidget(panel)
    model = TimelineModel()
    model.append([turn(0, texts=("<img src=x>",))])
    model.select(0)
    panel.show_explanation(explain(model))
    label = next(one for one in panel.findChildren(QLabel) if one.text() == "<img src=x>")
    assert label.textFormat().name == "PlainText"
