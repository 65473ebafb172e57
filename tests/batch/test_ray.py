"""The same batch on a Ray cluster of two nodes, one of which dies in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.batch.test_batch import N_FILES, ROOT, folder, results
from voicelane.cli.main import main

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.xdist_group("ray")]

__all__ = ["folder"]
ray = pytest.importorskip("ray")


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield found
    found.shutdown()


def test_a_node_that_dies_costs_nothing(cluster, folder, tmp_path):
    second, out = cluster.add_node(num_cpus=1), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "engine",
        "batch",
        str(folder),
        "--out",
        str(out),
        "--ray",
        cluster.address,
    ]
    batch = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not results(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    cluster.remove_node(second, allow_graceful=False)
    printed, _ = batch.communicate(timeout=120)
    assert batch.returncode == 0 and f"{N_FILES} are done now, 0 failed" in printed
    assert len(results(out)) == N_FILES
    assert all(json.loads(p.read_text())["heard_s"] == 6.0 for p in out.rglob("*.json"))

    here = tmp_path / "here"
    assert main(["batch", str(folder), "--out", str(here)]) == 0
    assert results(here) == results(out)


def test_a_cluster_that_is_not_there_is_named(folder, tmp_path, capsys):
    assert main(["batch", str(folder), "--out", str(tmp_path / "out"), "--ray", "auto"]) == 2
    assert "no Ray cluster answers there" in capsys.readouterr().err
    assert not Path(tmp_path / "out").exists() or not results(tmp_path / "out")
