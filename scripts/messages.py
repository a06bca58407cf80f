"""Write every message of the product into the catalogues of its languages: `make messages`.

Existing translations stay, in their order. New messages follow without a translation, and messages that the code no
longer has are removed.
The files are those of GNU gettext, see `dashboard/site/catalogues.py`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from dashboard.site.catalogues import FOLDER, parse_entries
from data.schema.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("dashboard", "geo", "risk", "data")
# Functions called with a message: _("…"), t("…"), self("…"), mark("…"), Message("…"); and with singular and plural.
_CALLS, _COUNTS = {"_", "t", "self", "speech", "mark", "Message"}, {"format_plural", "_plural"}
_AREA = "area\x04"


def find_messages(file: Path) -> Iterator[str]:
    """Yield the messages of a source file as keys of a catalogue: the text, or singular, NUL and plural.

    If the message is a name, the text that the file assigns to this name is used.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    texts = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = [list(_list_texts(part, texts)) for part in node.args]
            if name in _COUNTS and len(words) > 1 and words[0] and words[1]:
                yield f"{words[0][0]}\0{words[1][0]}"
            elif name in _CALLS and words:
                yield from (text for text in words[0] if text)


def _list_texts(node: ast.expr, texts: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the possible texts of an expression: a literal, both texts of `a if b else c`, or a named text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _list_texts(node.body, texts)
        yield from _list_texts(node.orelse, texts)
    elif isinstance(node, ast.Name) and node.id in texts:
        value = texts[node.id]
        if isinstance(value, ast.Constant | ast.IfExp):
            yield from _list_texts(value, {})


def list_messages(*folders: str) -> dict[str, str]:
    """List the messages of these folders of the product (by default all), each with the first file that has it.

    Without `folders`, the meanings of the columns of data/schema/columns.csv are listed too.
    """
    files = [file for folder in folders or PACKAGES for file in sorted((ROOT / folder).rglob("*.py"))]
    # The meanings of columns are in a table; forms show them in each language.
    columns = () if folders else (column for kind in KINDS.values() for column in kind.file_columns)
    listed = {column.meaning: "data/schema/columns.csv" for column in columns}
    for file in files:
        for message in find_messages(file):
            listed.setdefault(message, file.relative_to(ROOT).as_posix())
    return listed


def update_catalogue(text: str, messages: dict[str, str]) -> str:
    """Return the text of a catalogue changed so that it has exactly these messages, and the names of areas."""
    blocks = [block.strip("\n") for block in re.split(r"\n{2,}", text.strip("\n"))]
    entries, keys = [], set()
    for block in blocks:
        key = next(iter(parse_entries(block)), "")
        if not key or key.startswith(_AREA) or key in messages:
            entries.append(block)
            keys.add(key)
    entries += [_write_entry(message, file) for message, file in messages.items() if message not in keys]
    return "\n\n".join(entries) + "\n"


def _write_entry(message: str, file: str) -> str:
    singular, _nul, plural = message.partition("\0")
    lines = [f"#: {file}", f"msgid {json.dumps(singular, ensure_ascii=False)}"]
    if plural:
        lines += [f"msgid_plural {json.dumps(plural, ensure_ascii=False)}", 'msgstr[0] ""', 'msgstr[1] ""']
    else:
        lines.append('msgstr ""')
    return "\n".join(lines)


def main() -> None:
    """Update each catalogue, and print how many messages it does not translate yet."""
    messages = list_messages()
    for file in sorted(FOLDER.glob("*/LC_MESSAGES/tact.po")):
        text = update_catalogue(file.read_text(encoding="utf-8"), messages)
        file.write_text(text, encoding="utf-8")
        entries = parse_entries(text)
        missing = sum(not all(texts) for key, texts in entries.items() if key)
        print(f"{file.parents[1].name}: {len(messages)} messages, {missing} not translated")


if __name__ == "__main__":
    main()
