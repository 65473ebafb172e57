"""`voicelane batch`: a folder of recordings, resumable, where one failure stops nothing."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import ConfigError
from voicelane.base.text import one_line
from voicelane.cli.captions import add_captions_switch, asked_captions
from voicelane.cli.options import add_command, add_models, add_people, config_of

if TYPE_CHECKING:
    from voicelane.words.captioner import CaptionSettings


def batch(args: argparse.Namespace) -> int:
    """Analyse what has no result yet; 1 where a recording failed."""
    from tqdm import tqdm

    from voicelane.batch.ray import run_on_ray
    from voicelane.batch.unit import keep, left, named, recordings, settings_text
    from voicelane.batch.workers import run_here
    from voicelane.cli.people import recognisable

    if args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs}: expected 1 or more processes")
    config = config_of(args)
    settings = settings_text(config, recognisable(config, args.people), captions_of(args))
    units, others = recordings(args.folder, args.out)
    todo = left(units, args.out, settings)
    args.out.mkdir(parents=True, exist_ok=True)
    on_ray = args.ray and todo
    found = run_on_ray(todo, settings, args.ray) if on_ray else run_here(todo, settings, args.jobs)
    failed = 0
    with tqdm(total=len(units), initial=len(units) - len(todo), unit="file", disable=None) as bar:
        for outcome in found:
            keep(outcome, args.out, settings)
            bar.update()
            for remark in outcome.remarks:
                tqdm.write(f"{outcome.unit.path}: {remark}", file=sys.stderr)
            if outcome.problem:
                failed += 1
                tqdm.write(f"voicelane: {outcome.problem}", file=sys.stderr)
    print(
        f"{args.out}: {len(units)} recordings, {len(units) - len(todo)} of them were done before, "
        f"{len(todo) - failed} are done now, {failed} failed{one_line(named(others))}"
    )
    return 1 if failed else 0


def captions_of(args: argparse.Namespace) -> CaptionSettings | None:
    """Which captions were asked for, once it is known that they can be made; raises `ModelError`."""
    asked = asked_captions(args)
    if asked:
        from voicelane.words.recogniser import Recogniser

        recogniser = Recogniser(asked.model, asked.language)
        if asked.translate:
            recogniser.check_translates()
    return asked


def add_batch(commands: Any) -> None:
    """The command and its options."""
    command = add_command(
        commands, batch, "analyse all recordings of a folder, on all cores or a Ray cluster"
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="recordings, in folders below it as well")
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="NAME.rttm and NAME.json for each"
    )
    command.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)"
    )
    command.add_argument(
        "--ray", metavar="auto|local|ADDRESS", help="on a Ray cluster instead; needs the `ray` extra"
    )
    add_captions_switch(command, "write NAME.txt, NAME.srt and NAME.words.json as well")
    add_people(command)
    add_models(command)
