"""The documents: what they show of the code is there, and the pages that the code writes are current."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from tests.test_architecture import LAYERS, MAY_IMPORT, TOPS
from voicelane import Event

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
CARDS = sorted((ROOT / "rt_models/artifacts").rglob("*.md"))
FOLDERS = (*TOPS.values(), "docs", "examples", "tests")
OLD_NAMES = re.compile(r"(?:python -m|from|import) (?:bench|gui|rt_models|engine)\b|`engine\.")
NOT_OURS = re.compile(r"""(?:^|[\s='"])(?:\.\.|/(?!v1/)\w+)/""", re.MULTILINE)
"""A path that begins outside of the repository, and is none of a server's addresses."""
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`|--config ((?:{'|'.join(FOLDERS)})/[\w./-]+)")
BUILT = {"docs/report.html"}
"""Not in the repository."""
TREE_LINES = 40


def code_blocks(path: Path) -> list[str]:
    return re.findall(r"^```[a-z]*\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)


def code_of(path: Path) -> str:
    """All that is set as code, each piece on lines of its own."""
    blocks = code_blocks(path)
    prose = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`]+)`", prose)])


def tree_of(block: str) -> set[str]:
    """Folders of an indented tree, two spaces a level."""
    folders, above = set(), list[str]()
    for line in block.splitlines():
        name = line.split()[0].rstrip("/")
        above[(len(line) - len(line.lstrip())) // 2 :] = [name]
        folders.add("/".join(above))
    return folders


def folders_of_the_repository() -> set[str]:
    """Every folder of ours that holds something; those of the tests are told by the rooms they mirror."""
    without_code = {
        "docs/measured",
        "docs/results",
        "engine/demo",
        "engine/serve/page",
        "gui/assets",
        "rt_models/artifacts",
    }
    files = [path for top in TOPS.values() for path in (ROOT / top).rglob("*.py")]
    return {*FOLDERS, *without_code, *(str(path.parent.relative_to(ROOT)) for path in files)}


def test_the_tree_of_the_architecture_is_that_of_the_folders():
    (tree,) = (block for block in code_blocks(DOCS / "architecture.md") if block.startswith("engine/"))
    assert len(tree.splitlines()) <= TREE_LINES
    assert tree_of(tree) == folders_of_the_repository()


def test_the_import_rules_of_the_architecture_are_those_that_are_tested():
    text = (DOCS / "architecture.md").read_text()
    assert " → ".join(LAYERS) + "\n" in text
    for folder in MAY_IMPORT:
        name = "voicelane" if folder == "engine" else f"voicelane.{folder.replace('/', '.')}"
        assert f"\n| `{name}`" in text


def test_tests_mirror_the_rooms():
    rooms = {path.name for path in (ROOT / "engine").iterdir()} | set(TOPS.values())
    ours = {path.parent.name for path in (ROOT / "tests").glob("*/*.py")}
    assert ours - rooms == {"faults", "hostile"}


@pytest.mark.parametrize("path", [*PAGES, *CARDS], ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_nothing_that_is_not_there(path):
    text = path.read_text()
    assert not OLD_NAMES.findall(text) and not NOT_OURS.findall(code_of(path))
    for named in {a or b for a, b in PATH.findall(text)} - BUILT:
        assert list(ROOT.glob(named.rstrip("/."))), named


def test_the_tests_that_documents_name_are_there():
    source = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    named = {name for path in PAGES for name in re.findall(r"\btest_\w+(?=[`\[])", path.read_text())}
    assert len(named) > 20
    assert not [name for name in named if f"def {name}(" not in source]


@pytest.mark.parametrize("path", [p for p in PAGES if p.parent == ROOT], ids=lambda path: path.name)
def test_links_of_the_pages_at_the_top_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)#]+)", path.read_text()):
        assert link.startswith("https://") or (path.parent / link).exists(), link


def test_the_readme_is_short_and_its_test_command_is_the_one_that_is_run():
    text = (ROOT / "README.md").read_text()
    command = (ROOT / ".ci/run").read_text().splitlines()[-1]
    assert len(text.encode()) <= 12_000
    assert command.startswith("python3 -m venv") and f"\n{command}\n" in text


def test_the_page_of_events_lists_all_of_them():
    rows = [line for line in (DOCS / "live.md").read_text().splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[1])}
    assert listed == {kind.__name__ for kind in Event.__subclasses__()}


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "api.md"])
def test_pages_made_from_the_code_are_current(name):
    assert (DOCS / name).read_text() == generator().PAGES[name](), "run `python docs/generate.py`"


def test_every_setting_has_a_sentence_and_every_number_a_range():
    lines = [line for line in generator().settings_page().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert len(cells) > 40 and all(what for _, _, _, what in cells)
    assert not [name for name, default, may_be, _ in cells if not default.startswith('`"') and not may_be]


def help_of(module: str) -> set[str]:
    command = [sys.executable, "-m", module, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(re.findall(r"\w+", shown.stdout))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "pattern"),
    [
        ("voicelane", r"^(?:\.venv/bin/)?voicelane (\w+)"),
        ("voicelane.bench", r"-m voicelane\.bench (\w+)"),
        ("voicelane.rt_models.export", r"-m voicelane\.rt_models\.export (\w+)"),
        ("voicelane.rt_models.training", r"-m voicelane\.rt_models\.training (\w+)"),
    ],
)
def test_commands_of_the_documents_are_there(module, pattern):
    text = "\n".join(code_of(path) for path in [*PAGES, *CARDS])
    named = set(re.findall(pattern, text, re.MULTILINE))
    assert named and named <= help_of(module)


@pytest.mark.slow
def test_measured_tables_are_those_of_the_results(tmp_path):
    pytest.importorskip("matplotlib")
    shutil.copytree(DOCS / "measured", tmp_path / "measured")
    shutil.copy(ROOT / "README.md", tmp_path)
    options = ["--measured", tmp_path / "measured", "--readme", tmp_path / "README.md"]
    options += ["--results", DOCS / "results", "--out", tmp_path / "report.html"]
    subprocess.run([sys.executable, "-m", "voicelane.bench", "report", *options], cwd=ROOT, check=True)
    assert (tmp_path / "README.md").read_text() == (ROOT / "README.md").read_text()
    for path in sorted((DOCS / "measured").iterdir()):
        assert (tmp_path / "measured" / path.name).read_text() == path.read_text(), path


@pytest.mark.slow
def test_the_documents_build_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    page = (tmp_path / "site/api/index.html").read_text()
    assert 'id="voicelane.Pipeline.push"' in page and 'id="voicelane.events.SpeakerTurn"' in page
