"""Who spoke when in a sound file: `python examples/diarise_a_file.py talk.wav`."""

from __future__ import annotations

import sys
from collections import Counter

import voicelane


def main() -> None:
    spoken_s: Counter[str] = Counter()
    for turn in voicelane.diarise(sys.argv[1]):
        print(f"{turn.start:8.2f} {turn.end:8.2f}  {turn.speaker}")
        spoken_s[turn.speaker] += turn.end - turn.start
    for speaker, seconds in spoken_s.most_common():
        print(f"{speaker} spoke for {seconds:.0f} s")


if __name__ == "__main__":
    main()
