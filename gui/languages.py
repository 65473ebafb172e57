"""`python -m voicelane.gui.languages`: all texts of the sources into what translators and Qt read."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import PySide6

from voicelane.gui.model.language import CONTEXT, FILES, LANGUAGES

SOURCES, SOURCE = Path(__file__).parent, "en"
FORMS = 2
"""Of a plural, in the languages that there are."""


def texts() -> dict[str, bool]:
    """Every text that can be shown, in the order of the sources, and whether it has a plural."""
    found: dict[str, bool] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                found |= _texts_of(node.func.id, node.args)
    return found


def _texts_of(function: str, args: Sequence[ast.expr]) -> dict[str, bool]:
    if function == "later":
        return dict.fromkeys(held(args[0]), False)
    return {text: len(args) > 1 for text in held(args[0])} if function == "tr" else {}


def held(node: ast.expr) -> Iterator[str]:
    """The texts of a literal: all but the keys of dictionaries, and what has no word in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from [node.value] if any(a.isalpha() for a in node.value) else []
    inside = node.values if isinstance(node, ast.Dict) else getattr(node, "elts", ())
    for inner in inside:
        yield from held(inner)


def read(path: Path) -> dict[str, list[str]]:
    """The translations of a file, one for each form; empty where one is wanted."""
    if not path.exists():
        return {}
    found = {}
    for message in ElementTree.parse(path).iter("message"):
        translation = message.find("translation")
        forms = list(translation) if translation is not None and len(translation) else [translation]
        found[message.findtext("source", "")] = [(f.text or "") if f is not None else "" for f in forms]
    return found


def write(path: Path, language: str, wanted: Mapping[str, bool], known: Mapping[str, Sequence[str]]) -> None:
    """A file with these texts and no others; what is not translated is `unfinished`."""
    root = ElementTree.Element("TS", version="2.1", language=language, sourcelanguage=SOURCE)
    context = ElementTree.SubElement(root, "context")
    ElementTree.SubElement(context, "name").text = CONTEXT
    for text, plural in wanted.items():
        _add(context, text, plural, known.get(text, ()))
    ElementTree.indent(root, " ")
    head = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    path.write_text(head + ElementTree.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


def _add(context: ElementTree.Element, text: str, plural: bool, forms: Sequence[str]) -> None:
    message = ElementTree.SubElement(context, "message", {"numerus": "yes"} if plural else {})
    ElementTree.SubElement(message, "source").text = text
    n_forms = FORMS if plural else 1
    found = [*forms, *[""] * n_forms][:n_forms]
    translation = ElementTree.SubElement(message, "translation", {} if all(found) else {"type": "unfinished"})
    if not plural:
        translation.text = found[0]
        return
    for form in found:
        ElementTree.SubElement(translation, "numerusform").text = form


def release(path: Path) -> None:
    """What Qt reads, beside a file of translations."""
    program = Path(PySide6.__file__).parent / "lrelease"
    subprocess.run([program, "-silent", path, "-qm", path.with_suffix(".qm")], check=True)


def main() -> None:
    every = texts()
    for code in LANGUAGES:
        path = FILES / f"{CONTEXT}_{code}.ts"
        wanted = {text: plural for text, plural in every.items() if plural or code != SOURCE}
        write(path, code, wanted, read(path))
        release(path)
        left = sum(not all(forms) for forms in read(path).values())
        print(f"{path.name}: {len(wanted)} texts, {left} to be translated")


if __name__ == "__main__":
    main()
