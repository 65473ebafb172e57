"""`voicelane embed`: one speaker embedding per file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicelane.base.errors import VoicelaneError
from voicelane.base.files import written_through
from voicelane.cli.options import (
    add_command,
    add_models,
    check_writable,
    config_of,
    tell_remarks,
    tell_too_little,
)

if TYPE_CHECKING:
    import numpy as np

    from voicelane.profiles.embedding import FileEmbedder


def embed(args: argparse.Namespace) -> int:
    """`voicelane embed`: one vector per file into a .npz; a file that fails is named and left out."""
    import numpy as np
    from tqdm import tqdm

    from voicelane.profiles.embedding import FileEmbedder

    embedder, rows, failed = FileEmbedder(config_of(args)), [], False
    check_writable(args.out)
    try:
        for name in tqdm(args.files, unit="file", disable=None):
            try:
                rows.append((name, *_embedded(embedder, name)))
                tell_too_little(name, embedder.speech_s)
            except (VoicelaneError, OSError) as problem:
                failed = True
                print(f"voicelane: {problem}; left out", file=sys.stderr)
    finally:
        vectors = np.array([r[1] for r in rows], np.float32).reshape(len(rows), embedder.dim)
        paths, durations_s = np.array([r[0] for r in rows], str), np.array([r[2] for r in rows], float)
        with written_through(args.out, private=True) as out:
            np.savez(out, path=paths, embedding=vectors, duration_s=durations_s)
    print(f"{len(rows)} embeddings of {embedder.dim} numbers in {args.out}")
    return 1 if failed else 0


def _embedded(embedder: FileEmbedder, name: str) -> tuple[np.ndarray, float]:
    """Embedding and length in seconds of one file."""
    from voicelane.audio.sources import FileSource

    source = FileSource(name)
    try:
        return embedder.embed(source), source.duration_s or float("nan")
    finally:
        tell_remarks(source)
        source.close()


def add_embed(commands: Any) -> None:
    """The command and its options."""
    command = add_command(commands, embed, "one speaker embedding per file, into a .npz file")
    command.add_argument("files", nargs="+", metavar="FILE")
    command.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="emb.npz",
        help="arrays `path`, `embedding` float32 (n_files, dim), `duration_s`",
    )
    add_models(command)
