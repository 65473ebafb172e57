"""The benchmarks of latency, load, endurance and peers at a small size, and the report made of results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from engine import SpeakerTurn, Turn
from tests.conftest import DEMO
from tests.sound_server import needs_sound_server
from tests.test_bench import RANGE, bench, conversations

__all__ = ["conversations"]
ROOT = DEMO.parents[2]


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
    from bench.live import matched, spoken_until

    reference = [Turn("a", 0, 2), Turn("b", 2, 5), Turn("a", 5, 6)]
    turns = [
        SpeakerTurn(0, who, a * 16_000, b * 16_000, b * 16_000, 1.0, True)
        for who, a, b in (("S2", 0, 2), ("S1", 2, 5), ("S1", 5, 6))
    ]
    assert matched(turns, reference) == {"a": "S2", "b": "S1"}
    assert spoken_until([Turn("a", 0, 2), Turn("a", 5, 6)], 2.5) == 5.5
    assert spoken_until([Turn("a", 0, 2), Turn("a", 5, 6)], 9.0) == 6.0


def test_streams_finds_the_most_that_stay_within_the_deadline(tmp_path):
    from bench.streams import most_streams

    trials: dict[int, dict[str, float]] = {}
    assert most_streams(trials, lambda n: np.full(10, 3.0 * n), 20.0) == 6
    assert most_streams(trials, lambda n: np.full(10, 3.0 * n), 1.0) == 0
    found = bench(tmp_path, "streams", "--length-s", 1, "--repeats", 1, "--deadlines-ms", 0.001)
    assert found["used"]["1 core"]["trials"]["1"]["p99"] > 0


def test_soak_tells_what_an_hour_adds_and_who_is_who_at_the_end(tmp_path):
    from bench.soak import Point, slope

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
    assert "diart: left out" in found["printed"]


def test_the_report_fills_the_readme_and_a_page_from_results(tmp_path):
    command = "latency --frames 400 --repeats 1 --live-s 4"
    readme, page = tmp_path / "README.md", tmp_path / "report.html"
    readme.write_text(f"before\n<!-- bench {command} -->\nold\n<!-- end -->\nafter\n")
    options = ["--readme", readme, "--results", tmp_path / "results", "--out", page]

    def report(*extra: str) -> str:
        done = [sys.executable, "-m", "bench", "report", *map(str, options), *extra]
        return subprocess.run(done, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert "no result of `python -m bench latency" in report() and "old" in readme.read_text()
    assert "1 of 1 tables" in report("--run", "latency")
    text = readme.read_text()
    assert text.startswith("before\n<!-- bench latency") and text.endswith("<!-- end -->\nafter\n")
    assert "frame_path_ms" in text and "old" not in text and f"`python -m bench {command}`" in text
    assert "<td>frame_path_ms</td>" in page.read_text()
    report()
    assert readme.read_text() == text


def test_plots_are_drawn_from_results(tmp_path):
    from bench import plots

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
    assert found["command"] == "python -m bench latency --frames 300 --repeats 1 --live-s 3"
    assert (
        found["date"].count("-") == 2 and "Python" in found["machine"] and "frame_path_ms" in found["printed"]
    )
    assert set(found["decision_step_ms"]) == RANGE | {"cpu_p50"}


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
