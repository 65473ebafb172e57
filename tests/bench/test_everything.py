"""Every table from the bundled conversation alone."""

from __future__ import annotations

import argparse
import csv

import pytest

from voicelane import read_rttm
from voicelane.bench import everything
from voicelane.bench.__main__ import parser
from voicelane.bench.everything import COMMANDS, Quick
from voicelane.bench.options import DEMO
from voicelane.bench.trials import read_trials


def test_the_material_is_that_of_the_bundled_people(tmp_path):
    folder = everything.material(tmp_path, 0)
    labels, pairs = read_trials(folder / "trials/english.trials")
    people = {t.speaker for t in read_rttm(DEMO.with_suffix(".rttm"))}
    assert labels.any() and not labels.all()
    for same, (a, b) in zip(labels, pairs, strict=True):
        who = [path.split("/")[1] for path in (a, b)]
        assert (who[0] == who[1]) == bool(same) and set(who) <= people
        assert (folder / a).exists() and (folder / b).exists()
    with (folder / "manifest.tsv").open() as rows:
        told = list(csv.DictReader(rows, delimiter="\t"))
    assert {row["speaker"] for row in told} == people and {row["split"] for row in told} == {"dev"}
    assert len(list((folder / "noise/dev").iterdir())) == everything.N_NOISES


@pytest.mark.parametrize("quick", COMMANDS, ids=lambda q: q.name)
def test_every_command_knows_its_options(quick):
    found = parser().parse_args([quick.name, *(o.replace("{}", "folder") for o in quick.options)])
    assert found.command == quick.name


@pytest.mark.slow
def test_what_ran_has_its_tables_and_what_did_not_is_named(monkeypatch):
    broken = Quick("diarisation", ("--audio", "{}/nothing"))
    verification = next(q for q in COMMANDS if q.name == "verification")
    monkeypatch.setattr(everything, "COMMANDS", (verification, broken))
    result = everything.measure(argparse.Namespace(only=None, seed=0))
    assert result.content["results"].keys() == {"verification"}
    assert result.content["seconds"].keys() == {"verification", "diarisation"}
    assert "source" in result.content["results"]["verification"]
    assert any(t.title.startswith("verification") for t in result.tables)
    (sentence,) = result.notes
    assert sentence.startswith("diarisation did not run: ") and "nothing" in sentence
