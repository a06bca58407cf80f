"""An audit of a part of what readers can get: every layer, every kind of file and every attack, few of each."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from dashboard.map import atlas
from dashboard.web import features, reader_files
from data.disclosure.attacks import membership
from geo import export

_NTH = 9  # of the views of a layer in an atlas, one in so many


def audit_a_part(patch: pytest.MonkeyPatch) -> None:
    """Let an audit make and search each layer in one format, and of the atlas and of answers a part.

    On the partner tier, where the membership attack is measured alone, it draws few worlds.
    """
    write, list_views, list_pages, attack = (
        export.export_layers,
        atlas._list_views,
        features.list_pages,
        membership.attack,
    )

    def export_in_turn(release, folder: Path, formats: Iterable[str], _layers, progress) -> list[Path]:
        names, formats = [layer.id for layer in export.list_layers(release)], list(formats)
        chosen = {kind: names[turn :: len(formats)] for turn, kind in enumerate(formats)}
        progress(1, 1)
        return [path for kind, layers in chosen.items() for path in write(release, folder, [kind], layers)]

    def page_first(collection, base: str) -> list[str]:
        return [next(list_pages(collection, base))]

    def attack_quickly(everything, areas, mechanism, k):
        settings = {"worlds": (500,)} if k is None else {}
        return attack(everything, areas, mechanism, k, **settings)

    patch.setattr(reader_files.export, "export_layers", export_in_turn)
    patch.setattr(atlas, "_list_views", lambda *view: list_views(*view)[::_NTH])
    patch.setattr(features, "list_pages", page_first)
    patch.setattr(membership, "attack", attack_quickly)
