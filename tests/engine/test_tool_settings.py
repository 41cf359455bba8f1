"""The list of tools as the window shows and changes it; the background reads the same file."""

import json
from pathlib import Path

import pytest

from engine.background import tool_settings
from engine.background.permission import Permissions, read_rules
from engine.background.tool_settings import change_level, list_tools
from engine.background.understanding.understand import all_tools
from engine.errors import InputError, MicroturnError


def chosen(folder: Path) -> dict[str, str]:
    return {tool.name: tool.chosen for tool in list_tools(folder).tools}


def test_without_a_file_every_tool_is_as_it_comes(tmp_path: Path) -> None:
    found = list_tools(tmp_path)
    assert {tool.name for tool in found.tools} == set(all_tools())
    assert {tool.chosen for tool in found.tools} == {""}
    assert next(tool.own for tool in found.tools if tool.name == "screenshot") == "ask always"
    assert (found.servers, found.troubles) == ((), ())


def test_a_level_is_what_the_background_then_goes_by(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    change_level("screenshot", "ask once", folder)
    change_level("look", "off", folder)
    tools = all_tools()
    permissions = Permissions(read_rules(folder / "tools.json"))
    assert permissions.level(tools["screenshot"]) == "ask once"
    assert "look" not in {tool.name for tool in permissions.usable(tools.values())}
    assert (chosen(folder)["screenshot"], chosen(folder)["look"]) == ("ask once", "off")
    change_level("look", "", folder)
    change_level("screenshot", "", folder)
    assert json.loads((folder / "tools.json").read_text("utf-8")) == {}
    assert [path.name for path in folder.iterdir()] == ["tools.json"]


def test_what_else_stands_in_the_file_stays(tmp_path: Path) -> None:
    before = {"calendar__delete": "ask always", "off": ["define"], "on": ["web"], "odd": 3}
    (tmp_path / "tools.json").write_text(json.dumps(before))
    (tmp_path / "mcp.json").write_text('{"mcpServers": {"calendar": {"command": "/bin/true"}}}')
    change_level("define", "ask once", tmp_path)
    after = json.loads((tmp_path / "tools.json").read_text("utf-8"))
    assert after == {"calendar__delete": "ask always", "define": "ask once", "on": ["web"], "odd": 3}
    found = list_tools(tmp_path)
    assert found.servers == ("calendar",)
    assert found.troubles and "odd" in found.troubles[0]
    assert chosen(tmp_path)["calendar__delete"] == "ask always"


def test_a_tool_that_goes_online_is_switched_on_by_a_level(tmp_path: Path, monkeypatch) -> None:
    from dataclasses import replace

    web = replace(all_tools()["define"], name="web", online=True)
    monkeypatch.setattr(tool_settings, "all_tools", lambda: {"web": web})
    assert [(tool.own, tool.chosen) for tool in list_tools(tmp_path).tools] == [("off", "")]
    change_level("web", "ask always", tmp_path)
    assert Permissions(read_rules(tmp_path / "tools.json")).usable([web]) == (web,)
    change_level("web", "", tmp_path)
    assert Permissions(read_rules(tmp_path / "tools.json")).usable([web]) == ()


def test_a_damaged_file_is_told_and_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text("{")
    assert "not valid JSON" in list_tools(tmp_path).troubles[0]
    with pytest.raises(InputError, match="not valid JSON"):
        change_level("look", "off", tmp_path)
    assert (tmp_path / "tools.json").read_text() == "{"


def test_an_unknown_level_and_a_folder_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no level"):
        change_level("look", "always", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(MicroturnError):
        change_level("look", "off", tmp_path / "file" / "below")
