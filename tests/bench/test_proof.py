"""The benchmarks of latency, load, endurance and peers at a small size, and the report made of results."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.bench.test_bench import RANGE, bench, conversations
from tests.conftest import DEMO, ROOT
from tests.sound_server import needs_sound_server
from voicelane import SpeakerTurn, Turn

__all__ = ["conversations"]
pytestmark = pytest.mark.slow


@pytest.mark.device
@needs_sound_server
def test_live_times_everything_from_the_capture(tmp_path, speech):
    sf.write(tmp_path / "talk.wav", speech[: 12 * 16_000], 16_000)
    lines = [
        line for line in DEMO.with_suffix(".rttm").read_text().splitlines() if float(line.split()[3]) < 11
    ]
    (tmp_path / "talk.rttm").write_text("\n".join(lines))
    found = bench(tmp_path, "live", "--audio", tmp_path / "talk.wav", "--repeats", 1, "--starts", 1)
    idle, loaded = found["conditions"]["idle"], found["conditions"]["both cores loaded"]
    for condition in (idle, loaded):
        assert condition["frames"] > 600 and condition["lost_samples"] == 0
        assert condition["look_ahead_ms"] == pytest.approx(199.94, abs=0.01)
        label = condition["ms"]["capture to tentative label"]
        assert label["p50"] > condition["look_ahead_ms"] and label["n"] > 200
        assert sum(condition["histogram"]["tentative"]) == label["n"]
    steps = [step["p50"] for step in idle["start-up"].values()]
    assert steps == sorted(steps) and len(steps) == 4


def test_each_person_of_the_reference_is_timed_by_the_label_it_shares_most_time_with():
    from voicelane.bench.live import matched, spoken_until

    reference = [Turn("a", 0, 2), Turn("b", 2, 5), Turn("a", 5, 6)]
    turns = [
        SpeakerTurn(0, who, a * 16_000, b * 16_000, b * 16_000, 1.0, True)
        for who, a, b in (("S2", 0, 2), ("S1", 2, 5), ("S1", 5, 6))
    ]
    assert matched(turns, reference) == {"a": "S2", "b": "S1"}
    assert spoken_until([Turn("a", 0, 2), Turn("a", 5, 6)], 2.5) == 5.5
    assert spoken_until([Turn("a", 0, 2), Turn("a", 5, 6)], 9.0) == 6.0


def test_streams_finds_the_most_that_stay_within_the_deadline(tmp_path):
    from voicelane.bench.streams import most_streams

    trials: dict[int, dict[str, float]] = {}
    assert most_streams(trials, lambda n: np.full(10, 3.0 * n), 20.0) == 6
    assert most_streams(trials, lambda n: np.full(10, 3.0 * n), 1.0) == 0
    found = bench(tmp_path, "streams", "--length-s", 1, "--repeats", 1, "--deadlines-ms", 0.001)
    assert found["used"]["1 core"]["trials"]["1"]["p99"] > 0


@pytest.mark.soak
def test_soak_tells_what_an_hour_adds_and_who_is_who_at_the_end(tmp_path):
    from voicelane.bench.soak import Point, slope

    points = [Point(i / 60, 100 + i / 60, 9, 1, 40.0, 10.0, 9.0, 20.0) for i in range(60)]
    line = slope(points, lambda p: p.memory_mb, 0.1)
    assert line["per_hour"] == pytest.approx(1.0) and line["low"] <= 1.0 <= line["high"]
    found = bench(tmp_path, "soak", "--hours", 0.1, "--minutes", 0)["runs"]["as fast as it goes"]
    assert len(found["points"]) == 6 and found["slopes"]["threads"]["per_hour"] == 0
    first, last = (found["speakers"][end]["labels"] for end in ("first", "last"))
    assert first == last and len(first) == 3


def test_scale_costs_the_same_for_more_people(tmp_path, speech):
    (tmp_path / "manifest.tsv").write_text(
        "file\tsplit\tspeaker\n" + "".join(f"{i}.wav\tdev\tp{i % 4}\n" for i in range(20))
    )
    for i in range(20):
        sf.write(tmp_path / f"{i}.wav", speech[i * 12_000 : i * 12_000 + 40_000], 16_000)
    options = ("--manifest", tmp_path / "manifest.tsv", "--speakers", 2, 4, "--length-s", 20)
    found = bench(tmp_path, "scale", *options)["speakers"]
    assert set(found) == {"2", "4"} and all(f["cpu_ms_per_s"] > 0 for f in found.values())


def test_peers_measures_ours_where_no_other_is_installed(tmp_path, conversations):
    pytest.importorskip("pyannote.metrics")
    options = ("--environments", tmp_path, "--audio", conversations, "--files", 1, "--repeats", 2)
    found = bench(tmp_path, "peers", *options)
    ours = found["diarisers"]["voicelane final"]
    assert ours["ratio"] == {"median": 1.0, "least": 1.0, "most": 1.0} and ours["memory_mb"] > 50
    assert 5 < ours["der"]["der"] < 12 and ours["start_s"] > 0
    assert 3 < found["detectors"]["voicelane vad"]["frame_error"] < 15
    assert found["absent"] == ["diart", "senko", "sherpa", "small"]
    assert any(note.startswith("diart: left out") for note in found["tables"][0]["notes"])


@pytest.fixture
def reported(tmp_path: Path) -> Callable[..., str]:
    """`bench report` on a page of measured tables, a README and results that all lie in `tmp_path`."""
    (tmp_path / "measured").mkdir()
    (tmp_path / "README.md").write_text("what\n<!-- measured -->\nold\n<!-- end -->\nhow\n")
    places = {"measured": "measured", "readme": "README.md", "results": "results", "out": "report.html"}
    options = [word for name, place in places.items() for word in (f"--{name}", str(tmp_path / place))]

    def report(*extra: str) -> str:
        command = [sys.executable, "-m", "voicelane.bench", "report", *options, *extra]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    return report


def test_the_report_fills_the_pages_and_one_of_html_from_results(tmp_path, reported):
    command = "latency --frames 400 --repeats 1 --live-s 4"
    page = tmp_path / "measured/latency.md"
    page.write_text(f"before\n<!-- bench {command} -->\nold\n<!-- end -->\nafter\n")
    assert "no result of `python -m voicelane.bench latency" in reported() and "old" in page.read_text()
    assert "1 of 1 tables" in reported("--run", "latency")
    text = page.read_text()
    assert text.startswith("before\n<!-- bench latency") and text.endswith("<!-- end -->\nafter\n")
    assert "frame_path_ms" in text and "old" not in text and f"`python -m voicelane.bench {command}`" in text
    assert "<td>frame_path_ms</td>" in (tmp_path / "report.html").read_text()
    reported()
    assert page.read_text() == text


def test_the_readme_compares_what_was_measured_and_shows_who_is_best(tmp_path, reported):
    (tmp_path / "results").mkdir()
    rates = {"conv_transformer": {"eer": 5.361}, "CAM++": {"eer": 2.5}, "lstm": {"eer": 33.6}}
    result = {"conditions": {"english, clean": rates}}
    (tmp_path / "results/verification-a.json").write_text(json.dumps(result))
    reported()
    row = "| [voices told apart, EER %, English](docs/measured/accuracy.md) | 5.36 | CAM++ **2.50** |"
    lines = (tmp_path / "README.md").read_text().splitlines()
    assert (
        lines[4] == row
        and lines[:2] == ["what", "<!-- measured -->"]
        and lines[5:] == ["<!-- end -->", "how"]
    )


def test_every_result_that_is_kept_can_be_rendered():
    """And says which command, with options that it still has, made it."""
    from voicelane.bench.__main__ import parser
    from voicelane.bench.results import read_result

    paths = sorted((ROOT / "docs/results").glob("*.json"))
    assert len(paths) > 10
    for path in paths:
        result = read_result(path)
        words = shlex.split(result.content["command"])
        assert words[:3] == ["python", "-m", "voicelane.bench"]
        args = parser().parse_args(words[3:])
        assert args.command in path.name and result.tables
        assert all("| " in t.markdown() and t.markdown() in result.markdown() for t in result.tables)


def test_a_result_is_the_same_after_it_was_written(tmp_path):
    from voicelane.bench.results import Result, read_result, table, write_result

    rows = [["ours", 1.2345, 3], ["theirs", None, 4]]
    first = Result(
        {"eer": {"ours": 1.2345}}, (table(["system", "EER %", "n"], rows, "clean", "of 7"),), ("!",)
    )
    write_result(tmp_path / "a.json", first, ["vad", "--json", "a b.json", "--noise", "a b"])
    again = read_result(tmp_path / "a.json")
    assert (again.tables, again.notes) == (first.tables, first.notes)
    assert again.content["eer"] == {"ours": 1.2345}
    assert again.content["command"] == "python -m voicelane.bench vad --noise 'a b'"
    assert again.markdown().splitlines() == [
        "clean",
        "",
        "| system | EER % | n |",
        "|--------|-------|---|",
        "| ours   | 1.23  | 3 |",
        "| theirs | –     | 4 |",
        "",
        "of 7",
        "",
        "!",
    ]


def test_the_command_of_a_result_names_no_folder_of_one_machine(tmp_path, monkeypatch):
    from voicelane.bench.results import Result, read_result, write_result

    monkeypatch.setenv("CORPUS", "/somebody/recordings")
    write_result(tmp_path / "a.json", Result({}), ["vad", "--audio", "/somebody/recordings/dev"])
    command = read_result(tmp_path / "a.json").content["command"]
    assert command == "python -m voicelane.bench vad --audio $CORPUS/dev"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from voicelane.bench.__main__ import parser; parser().format_help(); "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    heavy = {"torch", "matplotlib", "PySide6", "pyqtgraph", "optuna", "pyannote", "psutil", "silero_vad"}
    assert not heavy & set(loaded.split())


def test_plots_are_drawn_from_results(tmp_path):
    from voicelane.bench import plots

    ms = {"capture to callback": 25.0, "decision, wall": 16.0, "capture to tentative label": 380.0}
    ms |= {"capture to confirmed label": 1_950.0}
    rows = {name: {"p50": value, "p95": value} for name, value in ms.items()}
    histogram = {"step_ms": 50.0, "tentative": [0, 2, 5, 1], "confirmed": [0] * 35 + [4, 4]}
    condition = {"ms": rows, "histogram": histogram, "look_ahead_ms": 200.0}
    systems = {
        n: {"total": {"der": 20.0}} for n in ("voicelane, as emitted", "voicelane, final", "diart 2 s")
    }
    levels = [", noise 0 dB", ", noise 5 dB", ", noise 10 dB", ", clean"]
    eers = {trials + level: 5.0 for trials in ("english", "multilingual") for level in levels}
    points = [{"hours": h, "cpu_ms_per_s": 40.0, "memory_mb": 300.0} for h in (0.1, 0.2)]
    results = {
        "live": [{"conditions": {"idle": condition}}],
        "diarisation": [{"systems": systems}],
        "enhancer": [{"eer": {"raw": eers}}],
        "soak": [{"runs": {"as fast as it goes": {"points": points}}}],
        "scale": [{"speakers": {"2": {"cpu_ms_per_s": 40.0}, "50": {"cpu_ms_per_s": 41.0}}}],
    }
    found = plots.draw(results, tmp_path)
    assert [p.stem for p in found] == ["latency", "der-latency", "enhancer", "cost"]
    assert all(p.stat().st_size > 10_000 for p in found)
    assert plots.draw({"live": results["live"]}, tmp_path) == [Path(tmp_path / "latency.png")]


def test_results_say_how_they_were_made(tmp_path):
    found = bench(tmp_path, "latency", "--frames", 300, "--repeats", 1, "--live-s", 3)
    assert found["command"] == "python -m voicelane.bench latency --frames 300 --repeats 1 --live-s 3"
    assert found["date"].count("-") == 2 and "Python" in found["machine"]
    assert "frame_path_ms" in [row[0] for row in found["tables"][0]["rows"]]
    assert set(found["decision_step_ms"]) == RANGE | {"cpu_p50"}


@pytest.mark.qt
def test_the_window_is_timed_and_a_stuck_one_loses_nothing(tmp_path):
    pytest.importorskip("PySide6")
    found = bench(tmp_path, "gui", "--hours", 0.05, "--speakers", 3, "--paints", 3)
    assert set(found["sizes"]) == {"1280x800", "2560x1440"}
    for times in found["sizes"].values():
        assert {"whole window", "timeline, following", "speakers"} < set(times["paint_ms"])
        assert all(set(row) == RANGE for row in (*times["paint_ms"].values(), times["event_to_picture_ms"]))
    blocked = found["blocked"]
    assert blocked["heard_meanwhile_s"] == pytest.approx(2.0, abs=0.3) and blocked["lost_samples"] == 0
    assert blocked["missing_in_history"] == blocked["missing_in_recording"] == 0
