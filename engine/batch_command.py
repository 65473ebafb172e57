"""`voicelane batch`: a folder of recordings, resumable, where one failure stops nothing."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.batch import keep, left, recordings, settings_text
from engine.errors import ConfigError
from engine.lanes import run_here
from engine.options import add_command, add_models, config_of
from engine.people_commands import recognisable
from engine.ray_cluster import run_on_ray


def batch(args: argparse.Namespace) -> int:
    """Analyse what has no result yet; 1 where a recording failed."""
    if args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs}: expected 1 or more processes")
    config = config_of(args)
    settings = settings_text(config, recognisable(config, args.people))
    units = recordings(args.folder)
    todo = left(units, args.out, settings)
    args.out.mkdir(parents=True, exist_ok=True)
    on_ray = args.ray and todo
    found = run_on_ray(todo, settings, args.ray) if on_ray else run_here(todo, settings, args.jobs)
    failed = 0
    with tqdm(total=len(units), initial=len(units) - len(todo), unit="file", disable=None) as bar:
        for outcome in found:
            keep(outcome, args.out, settings)
            bar.update()
            if outcome.problem:
                failed += 1
                tqdm.write(f"voicelane: {outcome.problem}", file=sys.stderr)
    print(
        f"{args.out}: {len(units)} recordings, {len(units) - len(todo)} of them were done before, "
        f"{len(todo) - failed} are done now, {failed} failed"
    )
    return 1 if failed else 0


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
    command.add_argument("--max-speakers", type=int, metavar="N", help="never find more than N speakers")
    command.add_argument(
        "--people",
        action=argparse.BooleanOptionalAction,
        help="recognise enrolled people by name (default: if there are any)",
    )
    add_models(command)
