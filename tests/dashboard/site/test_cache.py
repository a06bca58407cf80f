"""What is computed once, also where many ask at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.site.cache import cache_once
from dashboard.site.text import cache_by_language, find_language, speak


def test_those_who_ask_at_once_wait_for_the_first():
    asked = []

    @cache_once(maxsize=4)
    def compute(number):
        asked.append(number)
        time.sleep(0.05)
        return [number]

    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(compute, [1, 2] * 4))
    assert (sorted(asked), answers[:2]) == ([1, 2], [[1], [2]])
    assert all(answer is answers[0] for answer in answers[::2])


def test_an_error_is_computed_again():
    faults = iter([ValueError("a damaged file")])

    @cache_once(maxsize=4)
    def compute():
        for fault in faults:
            raise fault
        return "whole"

    with pytest.raises(ValueError, match="damaged"):
        compute()
    assert compute() == "whole"


def test_no_more_is_kept_than_was_said():
    asked = []
    compute = cache_once(maxsize=2)(asked.append)
    for number in (1, 2, 3, 1):
        compute(number)
    assert asked == [1, 2, 3, 1]


def test_each_language_has_its_own_answer():
    word = cache_by_language(maxsize=4)(find_language)
    for _time in range(2):
        for language in ("en", "sq", "el"):
            with speak(language):
                assert word() == language
