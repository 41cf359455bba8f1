"""The window on the engine's own session and recorder; only the devices and the model are fakes."""

from pathlib import Path

import av
import numpy as np
import pytest

from app.document import recorded_document
from app.engine_bridge import EngineBridge
from app.live import Choice, Devices, list_devices
from app.main_window import MainWindow
from app.settings import Settings
from engine.clock import MonotonicClock, SimulatedClock
from engine.config import EngineConfig
from engine.errors import MicroturnError
from engine.event_bus import EventBus
from engine.recorder.reader import read_session
from engine.session import Session, _open_webcam
from engine.speech import SpeechController
from engine.startup import Factories
from tests.fakes import FakeEngine, FakeSink, FakeSource, ToneVoice, output

# Qt's offscreen platform says this of every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

TURNS = 40


def open_fake_devices(choice: Choice, bus: EventBus) -> Session:
    script = {
        10: output("speak", "Let me see."),
        **{i: output("speak") for i in range(11, 18)},
        18: output("yield"),
    }
    clock = SimulatedClock()
    return Session(
        EngineConfig(background=False),
        source=FakeSource(clock, TURNS),
        sink=FakeSink(),
        clock=clock,
        bus=bus,
        out_dir=choice.record_in,
        simulated=True,
        factories=Factories(lambda _: FakeEngine(script), lambda _: SpeechController(ToneVoice())),
    )


def test_a_session_is_shown_recorded_and_opened_again(qtbot, tmp_path):
    bridge = EngineBridge(open_fake_devices, lambda _: Devices())
    window = MainWindow(bridge, Settings(theme="light"), tmp_path)
    qtbot.addWidget(window)
    window.show()
    told: list[str] = []
    bridge.session_changed.connect(lambda state, _: told.append(state))
    window.toggle_session()
    qtbot.waitUntil(lambda: bridge.state == "stopped")
    assert told[0] == "starting"
    live = window.live
    assert live.timeline.turns.count == TURNS
    assert live.timeline.header is not None
    assert [line.text for line in live.conversation.lines if line.speaker == "assistant"][:1] == [
        "Let me see."
    ]
    assert live.timeline.turns.decision(18) == 4
    assert not window.card.light.on

    folder = next(tmp_path.glob("*/timeline.jsonl")).parent
    again = recorded_document(read_session(folder))
    assert again.timeline.turns.count == TURNS
    assert [line.text for line in again.conversation.lines] == [line.text for line in live.conversation.lines]
    for i in range(TURNS):
        one, other = live.timeline.turns.turn(i), again.timeline.turns.turn(i)
        assert one is not None
        assert other is not None
        assert (one.decision, one.text_out, one.frame) == (other.decision, other.text_out, other.frame)
    window.close()


def test_a_video_file_serves_as_camera(tmp_path):
    file = tmp_path / "clip.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 120, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    camera, trouble = _open_webcam(str(file), MonotonicClock())
    assert trouble == ""
    assert camera is not None
    camera.start()
    assert camera.newest(0.05) is not None
    camera.stop()
    broken = Path(tmp_path / "notes.txt")
    broken.write_text("no video")
    assert _open_webcam(str(broken), MonotonicClock())[0] is None
    assert "no video" in _open_webcam(str(broken), MonotonicClock())[1]


def test_this_computers_devices_can_be_listed():
    try:
        found = list_devices(False)
    except MicroturnError as err:
        assert "PortAudio" in str(err)
        return
    for value, name in (*found.inputs, *found.outputs, *found.cameras):
        assert value
        assert name
