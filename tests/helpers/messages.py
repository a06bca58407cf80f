"""The messages of a package of the product, read from its source, for the tests of its translations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

# How the briefing calls what translates: t("…"), self.t("…"), t.count("…", "…"), mark("…").
_ONE, _SEVERAL = ("t", "self", "mark"), "format_plural"


def messages(folder: Path) -> set[str]:
    """Return every message in the form of a catalogue key: singular, NUL, plural."""
    return {found for file in sorted(folder.glob("*.py")) for found in _of(ast.parse(file.read_text("utf-8")))}


def _of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name == _SEVERAL:
                yield "\0".join(texts[:2])
            elif name in _ONE and texts:
                yield texts[0]
