"""The project as a whole: what is tracked, what it weighs, what stands beside it, and what its text says."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).resolve().parents[1]
MAX_TRACKED_BYTES = 40 * 1024 * 1024
MAX_MODULE_LINES = 500
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".ini", ".yml", ".yaml", ".sh", ".json", ".jsonl", ".spec", ""}
PICKLES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
WEIGHTS = {".gguf", ".onnx", ".safetensors"}

# Built from pieces, so that this file does not find itself.
OF_ONE_MACHINE = re.compile(
    r"(^|[^\w.])(/(work|home|root|Users|mnt)/\w|[A-Z]:\\Users\\)"
    r"|\b[Ii]ssue (#|no\.? ?)?\d|\bPR #\d|\bsubagen[t]|\bthe brie[f]\b|\bworkplac[e]",
    re.MULTILINE,
)


def tracked() -> list[Path]:
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so what is tracked cannot be told")
    paths = (ROOT / name for name in done.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def named(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_the_tracked_files_are_light():
    assert sum(path.stat().st_size for path in tracked()) < MAX_TRACKED_BYTES


def test_nothing_tracked_could_run_code_when_loaded():
    assert not named([path for path in tracked() if path.suffix.lower() in PICKLES])


def test_texts_speak_of_no_single_machine():
    found = []
    for path in tracked():
        if path.suffix in TEXT and path.stat().st_size < 1_000_000:
            text = path.read_text(encoding="utf-8")
            found += [f"{named([path])[0]}: {match[0]!r}" for match in OF_ONE_MACHINE.finditer(text)]
    assert not found


def test_every_module_says_what_it_is():
    silent = [
        path
        for path in modules("app", "engine", "packaging")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not named(silent)


def test_modules_are_small():
    long = [
        p for p in modules("app", "engine", "packaging") if p.read_bytes().count(b"\n") > MAX_MODULE_LINES
    ]
    assert not named(long)


def imported(path: Path) -> set[str]:
    """Names of all modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_model_knows_torch_and_itself_only():
    allowed = {"torch", *sys.stdlib_module_names}
    foreign = [
        f"{named([path])[0]}: {name}"
        for path in modules("engine/model")
        for name in imported(path)
        if name.split(".")[0] not in allowed and not f"{name}.".startswith("engine.model.")
    ]
    assert not foreign
    assert any("torch" in imported(path) for path in modules("engine/model"))


def test_one_version_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert engine.__version__ == project["version"] == version("microturn")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{project['version']}]" in changelog or "## [Unreleased]" in changelog


def test_every_weight_has_its_card_and_licence():
    for path in (ROOT / "assets").rglob("*"):
        if path.suffix in WEIGHTS:
            card = path.with_suffix(".md")
            assert card.is_file(), f"{named([path])[0]} has no card {card.name}"
            assert re.search(r"licen[cs]e", card.read_text(encoding="utf-8"), re.IGNORECASE), card.name


def test_every_asset_is_covered_by_a_licence():
    """A licence file beside it, or the index of the assets, which says where each comes from."""
    index = (ROOT / "assets" / "README.md").read_text(encoding="utf-8")
    uncovered = []
    for path in tracked():
        if not path.is_relative_to(ROOT / "assets") or path.suffix == ".md":
            continue
        in_index = path.name in index or f"`{path.parent.name}/`" in index
        if not in_index and not list(path.parent.glob("LICEN[CS]E*")):
            uncovered.append(path)
    assert not named(uncovered)


def test_links_between_the_documents_lead_somewhere():
    broken = []
    for document in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        lost = [t for t in targets if "://" not in t and not (document.parent / t).exists()]
        broken += [f"{named([document])[0]}: {target}" for target in lost]
    assert not broken


def test_the_index_of_the_documents_is_complete():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [
        path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md" and path.name not in index
    ]
    assert not named(missing)


def test_the_checks_are_the_readme_s_command():
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("python3 packaging/bootstrap.py test", "python3 packaging/bootstrap.py run"):
        assert command in readme
    assert "python3 packaging/bootstrap.py test" in run
