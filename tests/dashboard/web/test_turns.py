"""Pages are made one after the other, and one that takes long, or fails, does not hold up the others."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from dashboard.web.turns import Turns


def test_readers_who_ask_at_once_have_their_pages_one_after_the_other():
    turns, inside, most = Turns(longest=60), [], []

    def make_page(number):
        with turns.take():
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make_page, range(8)))
    assert most == [1] * 8


def test_a_page_that_takes_long_goes_on_beside_the_others():
    turns, ended = Turns(longest=0.05), Event()

    def compute_plan():
        with turns.take():
            return ended.wait(30)

    def make_page():
        with turns.take():
            return not ended.is_set()

    with ThreadPoolExecutor(4) as pool:
        plan = pool.submit(compute_plan)
        assert all(pool.map(lambda _: make_page(), range(3)))
        ended.set()
        assert plan.result()


def test_the_end_of_a_late_page_does_not_end_the_turn_of_the_next():
    turns = Turns(longest=0.05)
    with turns.take():
        time.sleep(0.06)
        late = turns.take()
        late.__enter__()
        holder = turns._holder
    assert turns._holder is holder
    late.__exit__(None, None, None)
    assert turns._holder is None


def test_a_page_that_fails_ends_its_turn():
    turns = Turns(longest=60)
    with pytest.raises(ZeroDivisionError), turns.take():
        _ = 1 / 0
    began = time.monotonic()
    with turns.take():
        assert time.monotonic() - began < 5


def test_who_waits_is_before_a_holder_who_asks_again():
    turns, order = Turns(longest=60), []

    def make_page():
        with turns.take():
            order.append("waits")

    with ThreadPoolExecutor(1) as pool:
        with turns.take():
            page = pool.submit(make_page)
            while not turns._waiting:
                time.sleep(0.001)
        with turns.take():
            order.append("asks again")
        page.result()
    assert order == ["waits", "asks again"]
