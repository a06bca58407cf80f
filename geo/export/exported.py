"""The tables in the product's own files: `tact check` must distinguish them from a table that somebody made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, combinations

import pandas as pd

from data.release import Release
from geo.export import build_about, list_layers, split_layers
from geo.export.report import Translate, build_sheets
from geo.export.standards import STANDARDS, offers_tables
from geo.layers.output import terms, wide
from geo.layers.output.columns import build_codebook
from geo.layers.reading import tables


def list_tables(
    release: Release, headings: Sequence[str], languages: Sequence[Translate] = (str,)
) -> Iterator[pd.DataFrame]:
    """Yield the tables with exactly these headings among the exports and reports of a release.

    languages : for each language, the function that translates the explanations of a report.
    """
    for table in _list_all(release, frozenset(headings), languages):
        if list(table.columns) == list(headings):
            yield table


def _list_all(release: Release, headings: frozenset[str], languages: Sequence[Translate]) -> Iterator[pd.DataFrame]:
    """Yield the tables that may have these headings; a table is built only if a heading typical of it is there."""
    if "licence" in headings:
        yield terms.list_sources(release)
    for layers in split_layers(release) if headings & {"key", "table"} else ():
        # The rows that a file's description may have, with each selection of `layers` in a row "layers".
        choices = chain.from_iterable(combinations(layers, count) for count in range(1, len(layers) + 1))
        lists = pd.DataFrame({"value": [terms.name_layers(choice) for choice in choices]}).assign(key="layers")
        yield pd.concat([build_about(release, layers), lists], ignore_index=True)
        if "table" in headings:
            yield build_codebook(release, layers)
    for layer in list_layers(release) if "state_words" in headings else ():
        if headings.issuperset(option.id for option in layer.options):
            yield wide.build_long_table(release, layer)
    if headings & {"standard", "key", "asked_for", "kind"} and offers_tables(release):
        for name in STANDARDS:
            for translate in languages:
                yield from _build_sheets(release, tables.release_key(release), name, translate)


@lru_cache(maxsize=12)  # each standard in each language: a workbook has many sheets
def _build_sheets(release: Release, _stamp: int, name: str, translate: Translate) -> tuple[pd.DataFrame, ...]:
    return tuple(build_sheets(release, STANDARDS[name], translate).values())
