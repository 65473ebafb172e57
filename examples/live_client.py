"""Who speaks, live, through a server: `voicelane serve` in one terminal, this in another.

python examples/live_client.py talk.wav [http://127.0.0.1:8765]
"""

from __future__ import annotations

import sys
from itertools import chain

import soundfile as sf

from voicelane.client import Client


def main(path: str, *server: str) -> None:
    sound, rate = sf.read(path, dtype="float32", always_2d=True)
    with Client(*server).stream(rate=rate, channels=sound.shape[1]) as stream:
        for start in range(0, len(sound), rate // 10):
            stream.send(sound[start : start + rate // 10])
            told = stream.messages()
            if start + rate // 10 >= len(sound):
                told = chain(told, stream.finish())
            for m in told:
                if m["type"] == "speaker_end" and not m.get("withdrawn"):
                    print(f"{m['start_s']:7.2f} {m['end_s']:7.2f}  {m.get('name', m['speaker'])}")


main(*sys.argv[1:])
