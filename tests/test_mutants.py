"""Every fault of `make mutants` can be put in, so that none is passed over when its line changes."""

from scripts.mutation_check import FAULTS
from tests.helpers.paths import ROOT


def test_the_text_of_each_fault_stands_once_and_its_tests_are_there():
    counts = {fault.name: (ROOT / fault.file).read_text(encoding="utf-8").count(fault.right) for fault in FAULTS}
    assert counts == dict.fromkeys(counts, 1)
    named = {test.partition("::")[0] for fault in FAULTS for test in fault.tests}
    assert [test for test in named if not (ROOT / test).exists()] == []
