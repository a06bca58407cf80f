import numpy as np

from data.disclosure.attacks.bounds.staleness import Times, compute_slack
from data.disclosure.attacks.bounds.system import Ties
from data.disclosure.channel import UNKNOWN


def times(since, last_number=None, unit=10):
    since = np.array(since)
    last_number = since.max() if last_number is None else last_number
    return Times(since, np.broadcast_to(np.array(last_number), since.shape), np.full(since.shape, unit))


def ties(*sums):
    return Ties.join([(np.array([total]), np.array([parts])) for total, parts in sums])


def test_numbers_of_one_release_add_up_without_slack():
    assert compute_slack(ties((0, [1, 2])), times([0, 0, 0])).tolist() == [0]
    assert compute_slack(ties((0, [1, 2])), times([0, 0, 0], last_number=3)).tolist() == [0]


def test_each_older_number_brings_its_slack():
    assert compute_slack(ties((0, [1, 2])), times([1, 0, 1])).tolist() == [10]
    assert compute_slack(ties((0, [1, 2])), times([0, 1, 1])).tolist() == [10]
    assert compute_slack(ties((0, [1, 2])), times([2, 0, 1])).tolist() == [20]


def test_a_total_that_nobody_published_stands_for_all_its_parts():
    # 0 is the sum of 1 and 2, and 3 is the sum of 0 and 4, which is newer.
    sums = ties((0, [1, 2]), (3, [0, 4]))
    assert compute_slack(sums, times([-1, 0, 0, 1, 1])).tolist() == [0, 20]


def test_a_number_that_is_not_repeated_says_nothing_of_newer_ones():
    assert compute_slack(ties((0, [1, 2])), times([0, 1, 1], last_number=[0, 1, 1])).tolist() == [UNKNOWN]
    assert compute_slack(ties((0, [1, 2])), times([0, 0, 0], last_number=[0, 1, 1])).tolist() == [0]


def test_a_part_of_which_nothing_is_known_joins_no_two_days():
    sums = ties((0, [1, 4]), (2, [3, 4]))
    assert compute_slack(sums, times([0, 0, 1, 1, -1])).tolist() == [UNKNOWN, 0]
