"""The study of the words for certainty: it counts statements, and those that are true."""

import pytest

from benchmarks.studies.observe import QUIET
from benchmarks.studies.words import KINDS, study_world, summarise


def test_a_word_is_judged_by_the_share_of_its_statements_that_are_true():
    worlds = [
        {"rate/likely/high": [4, 3], "rate/likely/low": [4, 2], "rate/cannot_tell/": [2, 0], "top/likely/top": [1, 1]},
        {"rate/very_likely/high": [10, 9]},
    ]
    rate = summarise(worlds)["rate"]
    assert rate["likely_true"] == pytest.approx(5 / 8, abs=1e-3)
    assert rate["very_likely_true"] == 0.9
    assert (rate["cannot_tell"], rate["likely"], rate["very_likely"]) == (0.1, 0.4, 0.5)


@pytest.mark.long
def test_in_a_world_without_differences_only_statements_of_no_difference_are_true():
    counts = study_world(QUIET, 1)
    rate = {name.split("/")[2]: [0, 0] for name in counts if name.startswith("rate/")}
    for name, cell in counts.items():
        if name.startswith("rate/"):
            rate[name.split("/")[2]] = [a + b for a, b in zip(rate[name.split("/")[2]], cell, strict=True)]
    number, right = rate.pop("average")
    assert number == right > 0
    for code in ("not_low", "not_high"):  # also true
        rate.pop(code, None)
    assert all(right == 0 for _number, right in rate.values())
    totals = {kind: sum(cell[0] for name, cell in counts.items() if name.startswith(f"{kind}/")) for kind in KINDS}
    assert totals["rate"] == totals["burden"] == totals["top"]  # one statement for each area and pathway
    summary = summarise([counts])
    assert summary["change"]["likely_true"] == summary["country"]["very_likely_true"] == 1
    assert summary["burden"]["very_likely_true"] > 0.9  # children in need still differ, with the people of an area
