"""Which files of a folder hold sound, by their names or their first bytes."""

from __future__ import annotations

from pathlib import Path

_WORDS = (
    ".3g2 .3gp .8svx .aac .ac3 .aif .aifc .aiff .alac .amr .ape .asf .au .avi .avr .caf "
    ".dts .eac3 .flac .flv .gsm .iff .ircam .m2ts .m4a .m4b .m4v .mka .mkv .mov .mp1 .mp2 "
    ".mp3 .mp4 .mpc .mpeg .mpg .mts .nist .oga .ogg .ogm .ogv .opus .paf .pvf .ra .rf64 "
    ".rm .sd2 .sds .sf .snd .spx .sph .svx .tak .tta .voc .vob .w64 .wav .wave .wavex "
    ".webm .wma .wmv .wv .xi "
)
SOUND_ENDINGS = frozenset(_WORDS.split())
"""Lower case."""
LONGEST_MARK = 16
MARKS = (b"RF64", b"fLaC", b"OggS", b"ID3", b"#!AMR", b".snd", b"caff", b"\x1aE\xdf\xa3", b"0&\xb2u", b"riff")
INNER_MARKS = ((b"RIFF", 8, b"WAVE"), (b"FORM", 8, b"AIF"), (b"", 4, b"ftyp"))


def may_hold_sound(path: Path) -> bool:
    """Whether the name of a file, or how it begins, is that of a kind of file that may hold sound."""
    return path.suffix.lower() in SOUND_ENDINGS or _is_marked(path)


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(LONGEST_MARK)
    except OSError:
        return False
    inner = any(start.startswith(outer) and start[at:].startswith(mark) for outer, at, mark in INNER_MARKS)
    return inner or start.startswith(MARKS)
