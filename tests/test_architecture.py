"""Who may import whom (house rules), and what importing the engine must not do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).parents[1]
OURS = {"engine", "rt_models", "gui", "bench", "tests"}
MAY_IMPORT = {
    "engine": {"engine"},
    "rt_models/nets": {"rt_models.nets"},
    "rt_models/training": {"rt_models.nets", "rt_models.export", "rt_models.training", "engine"},
    "rt_models/export": {"rt_models.nets", "rt_models.export", "engine"},
    "gui": {"gui", "engine"},
    "bench": {"bench", "engine", "gui"},
}
LAYERS = [
    "timebase",
    "stopwatch",
    "errors",
    "names",
    "home",
    "lock",
    "events",
    "relabelling",
    "people",
    "profile",
    "settings",
    "config",
    "scoring",
    "audio",
    "dsp",
    "inference",
    "calibration",
    "stages",
    "embedding",
    "vault",
    "sounds",
    "rows",
    "store",
    "enrolment",
    "archive",
    "pipeline",
    "latency",
    "sinks",
    "terminal",
    "label_desk",
    "outbox",
    "intake",
    "live",
    "recording",
    "sessions",
    "exports",
    "batch",
    "lanes",
    "ray_cluster",
    "options",
    "people_commands",
    "session_commands",
    "verify_command",
    "batch_command",
    "gui_command",
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


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_packages_import_only_what_they_may(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        for name in imports(path):
            if name.split(".")[0] in OURS:
                assert any(name == a or name.startswith(a + ".") for a in MAY_IMPORT[folder]), (
                    f"{path}: {name}"
                )


@pytest.mark.parametrize("folder", ["gui", "bench", "rt_models"])
def test_the_engine_is_used_through_its_public_names_only(folder):
    public = {f"engine.{name}" for name in engine.__all__} | {"engine"}
    for path in sorted((ROOT / folder).rglob("*.py")):
        inner = [n for n in imports(path) if n.split(".")[0] == "engine" and n not in public]
        assert not inner, f"{path}: {inner}"


def test_torch_and_qt_stay_in_their_rooms():
    for path in sorted((ROOT / "engine").rglob("*.py")):
        heads = {name.split(".")[0] for name in imports(path)}
        assert not heads & {"torch", "PySide6", "pyqtgraph"}, path
    for path in sorted([*(ROOT / "bench").glob("*.py"), *(ROOT / "gui").rglob("*.py")]):  # not rivals
        assert "torch" not in {name.split(".")[0] for name in imports(path)}, path


def test_lower_layers_of_the_engine_do_not_import_higher_ones():
    def layer(name: str) -> int:
        return LAYERS.index(name) if name in LAYERS else len(LAYERS)

    for path in sorted((ROOT / "engine").rglob("*.py")):
        own = path.relative_to(ROOT / "engine").parts[0].removesuffix(".py")
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "engine" and own in LAYERS:
                assert layer(parts[1]) <= layer(own), f"{path}: {name}"


def test_public_names_are_sorted_and_there():
    key = [(not name.isupper(), name.islower(), name) for name in engine.__all__]
    assert key == sorted(key)
    assert len(set(engine.__all__)) == len(engine.__all__)
    assert all(hasattr(engine, name) for name in engine.__all__)


def test_importing_the_engine_loads_no_torch_no_qt_no_device_and_starts_no_thread():
    code = (
        "import threading, sys, engine; "
        "assert threading.active_count() == 1, threading.enumerate(); "
        "heavy = {'torch', 'PySide6', 'pyqtgraph', 'sounddevice', 'soundfile', 'soxr', 'rt_models'}; "
        "heavy &= set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_only_live_has_threads():
    """sources.py names `threading.Event` as a type and nothing else; latency.py and sinks only lock."""
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if path.name != "live.py":
            assert not any(word in path.read_text() for word in ("Thread(", "Timer(", "Executor(")), path


def test_no_pickle_at_run_time():
    for path in sorted((ROOT / "engine").rglob("*.py")):
        text = path.read_text()
        assert "pickle" not in text.replace("allow_pickle=False", ""), path


OURS_TO_RUN = [
    path
    for folder in ("engine", "gui", "bench", "rt_models", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "rivals" not in path.parts  # third-party programs, run as they are
]
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
