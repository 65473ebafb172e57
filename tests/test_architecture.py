"""Who may import whom (house rules), and what importing the engine must not do."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

import voicelane

ROOT = Path(__file__).parents[1]
TOPS = {
    "voicelane": "engine",
    "voicelane.rt_models": "rt_models",
    "voicelane.gui": "gui",
    "voicelane.bench": "bench",
}
OTHERS = ("voicelane.rt_models", "voicelane.gui", "voicelane.bench", "tests")
DECLARATIONS = ("voicelane.events", "voicelane.config")
MAY_IMPORT = {
    "rt_models/nets": {"voicelane.rt_models.nets"},
    "rt_models/training": {"voicelane.rt_models"},
    "rt_models/export": {"voicelane.rt_models.nets", "voicelane.rt_models.export"},
    "gui": {"voicelane.gui"},
    "bench": {"voicelane.bench", "voicelane.gui"},
    "engine": set(),
}
"""Besides the engine, which all may use but the networks."""
LAYERS = (
    "base",
    "events",
    "config",
    "audio",
    "dsp",
    "inference",
    "labels",
    "stages",
    "profiles",
    "pipeline",
    "sides",
    "live",
    "sessions",
    "words",
    "voices",
    "offline",
    "cleaning",
    "batch",
    "client",
    "serve",
    "cli",
)


OURS_TO_RUN = [
    path
    for folder in ("engine", "gui", "bench", "rt_models", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "rivals" not in path.parts  # third-party programs, run as they are
]


def imports(path: Path) -> list[str]:
    """Full names of all that a file imports, `from x import y` as x.y."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def below(name: str, heads: Iterable[str]) -> bool:
    return any(name == head or name.startswith(f"{head}.") for head in heads)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_packages_import_only_what_they_may(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            if below(name, OTHERS):
                assert below(name, MAY_IMPORT[folder]), f"{path}: {name}"
            assert folder != "rt_models/nets" or not below(name, ["voicelane"]) or below(name, OTHERS), path


def public_names() -> set[str]:
    """What the engine's stubs list, and all of its events and settings."""
    found = {"voicelane", "voicelane.events", "voicelane.config"}
    for stub in sorted((ROOT / "engine").rglob("__init__.pyi")):
        room = ".".join(["voicelane", *stub.parent.relative_to(ROOT / "engine").parts])
        tree = ast.parse(stub.read_text())
        found |= {f"{room}.{a.name}" for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    return found


@pytest.mark.parametrize("folder", ["gui", "bench", "rt_models"])
def test_the_engine_is_used_through_its_public_names_only(folder):
    public = public_names()
    for path in sorted((ROOT / folder).rglob("*.py")):
        names = [n for n in imports(path) if below(n, ["voicelane"]) and not below(n, OTHERS)]
        inner = [n for n in names if n not in public and n.rpartition(".")[0] not in DECLARATIONS]
        assert not inner, f"{path}: {inner}"


def test_nothing_is_imported_by_a_string():
    """Commands are found through entry points; a name in a string escapes every rule of this file."""
    for folder in TOPS.values():
        for path in sorted((ROOT / folder).rglob("*.py")):
            calls = [
                ast.unparse(n.func) for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)
            ]
            assert not {"import_module", "importlib.import_module", "__import__"} & set(calls), path


def test_every_package_is_installed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for name, folder in TOPS.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    assert sorted(listed) == sorted(there)


def test_torch_and_qt_stay_in_their_rooms():
    for path in sorted((ROOT / "engine").rglob("*.py")):
        heads = {name.split(".")[0] for name in imports(path)}
        assert not heads & {"torch", "PySide6", "pyqtgraph"}, path
    for path in sorted([*(ROOT / "bench").glob("*.py"), *(ROOT / "gui").rglob("*.py")]):  # not rivals
        assert "torch" not in {name.split(".")[0] for name in imports(path)}, path


def test_lower_layers_of_the_engine_do_not_import_higher_ones():
    for path in sorted((ROOT / "engine").rglob("*.py")):
        own = path.relative_to(ROOT / "engine").parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "voicelane" and len(parts) > 1 and parts[1] in LAYERS:
                assert LAYERS.index(parts[1]) <= LAYERS.index(own), f"{path}: {name}"


def test_public_names_are_few_and_there():
    assert len(voicelane.__all__) <= 40
    for stub in sorted((ROOT / "engine").rglob("__init__.pyi")):
        room = ".".join(["voicelane", *stub.parent.relative_to(ROOT / "engine").parts])
        package = importlib.import_module(room)
        assert package.__all__ and all(hasattr(package, name) for name in package.__all__), room


def test_importing_the_engine_loads_no_torch_no_qt_no_device_and_starts_no_thread():
    code = (
        "import threading, sys, voicelane; voicelane.Pipeline; "
        "assert threading.active_count() == 1, threading.enumerate(); "
        "heavy = {'torch', 'PySide6', 'pyqtgraph', 'sounddevice', 'soundfile', 'soxr'}; "
        "heavy |= {'voicelane.rt_models', 'faster_whisper', 'ctranslate2', 'docx'}; "
        "heavy &= set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_asking_for_help_loads_nothing_of_the_engine():
    """`voicelane --help` answers in under half a second: each command loads what it needs when it runs."""
    code = (
        "import sys\n"
        "from voicelane.cli.main import parser\n"
        "assert 'run' in parser().format_help()\n"
        "ours = {m for m in sys.modules if m.startswith('voicelane.')}\n"
        "rooms = {m.split('.')[1] for m in ours} - {'base', 'cli', 'gui', 'bench'}\n"
        "assert not rooms, rooms\n"
        "heavy = {'numpy', 'scipy', 'numba', 'onnxruntime', 'tqdm', 'PySide6'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_only_live_has_threads():
    """The engine's own in session.py, the source's in feeder.py, the sinks' in audience.py; and one that
    waits for the bytes of a container that a client sends."""
    threaded = {ROOT / "engine/live" / name for name in ("session.py", "feeder.py", "audience.py")}
    threaded.add(ROOT / "engine/serve/decoders.py")
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if path not in threaded:
            assert not any(word in path.read_text() for word in ("Thread(", "Timer(", "Executor(")), path


def test_one_hand_puts_a_file_in_the_place_of_another():
    """`voicelane.base.files` renames files; others ask it to. A pack of models is a folder of its own."""
    hands = {ROOT / "engine/base/files.py", ROOT / "engine/inference/packs.py"}
    for path in [p for p in OURS_TO_RUN if p not in hands and "tests" not in p.parts]:
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        assert not [ast.unparse(c) for c in calls if renames_a_file(c)], path


def renames_a_file(call: ast.Call) -> bool:
    """`Path.replace(target)` has one argument, `str.replace` two, `dataclasses.replace` names."""
    name = ast.unparse(call.func)
    if name in ("os.replace", "os.rename", "shutil.move"):
        return True
    one = len(call.args) == 1 and not call.keywords
    return isinstance(call.func, ast.Attribute) and call.func.attr == "replace" and one


def test_no_pickle_at_run_time():
    for path in sorted((ROOT / "engine").rglob("*.py")):
        text = path.read_text()
        assert "pickle" not in text.replace("allow_pickle=False", ""), path


PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "yaml"}


def runs_what_it_reads(call: ast.Call) -> bool:
    """Whether a call may execute what a file, or a text, says."""
    name = ast.unparse(call.func)
    given = {k.arg: ast.unparse(k.value) for k in call.keywords}
    if name in ("eval", "exec", "os.system", "os.popen") or given.get("shell", "False") != "False":
        return True
    if name == "torch.load":
        return given.get("weights_only") != "True"
    return given.get("allow_pickle", "False") != "False"


def test_nothing_of_ours_executes_what_it_reads():
    """No pickle in any disguise, `weights_only` for every checkpoint, no eval, exec or shell."""
    for path in OURS_TO_RUN:
        assert not PICKLES & {part for name in imports(path) for part in name.split(".")}, path
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        assert not [ast.unparse(call) for call in calls if runs_what_it_reads(call)], path


@pytest.mark.parametrize(
    "code",
    [
        "eval(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_such_a_call_would_be_seen(code):
    assert runs_what_it_reads(ast.parse(code).body[0].value)
