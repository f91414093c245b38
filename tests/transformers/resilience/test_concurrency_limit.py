import pytest

from endcap_transformer.resilience.concurrency_limit import LIMIT_CUT, LIMIT_MIN, LIMIT_START, LIMIT_STEP, ConcurrencyLimit

MOST = 64


class Lists:
    """Lists that end one after the other, each begun just before."""

    def __init__(self, most: int = MOST) -> None:
        self.now_s = 0.0
        self.limit = ConcurrencyLimit(most, lambda: self.now_s)

    def end(self, whole: int, cut: int, in_flight: int) -> None:
        """A window of lists, in that order."""
        self.limit.admitted(in_flight)
        self.now_s += 1
        began = self.limit.begin()
        self.now_s += 1
        for in_time in [True] * whole + [False] * cut:
            self.limit.ended(began, in_time=in_time)


def test_the_limit_grows_while_it_is_used_and_all_lists_are_whole_and_stops_at_the_most() -> None:
    lists = Lists(most=12)
    lists.end(10, 0, in_flight=8)
    assert lists.limit.limit == LIMIT_START + LIMIT_STEP
    for _ in range(40):
        lists.end(10, 0, in_flight=8)
    assert lists.limit.places == 12


def test_a_limit_that_nobody_comes_near_is_not_changed() -> None:
    lists = Lists()
    for whole, cut in ((10, 0), (0, 10)):
        for _ in range(5):
            lists.end(whole, cut, in_flight=1)
    assert lists.limit.limit == LIMIT_START


def test_some_cut_lists_hold_the_limit_and_more_shrink_it_to_the_least() -> None:
    lists = Lists()
    lists.end(9, 1, in_flight=8)
    assert lists.limit.limit == LIMIT_START
    lists.end(0, 2, in_flight=8)
    assert lists.limit.limit == pytest.approx(LIMIT_CUT * LIMIT_START)
    for _ in range(60):
        lists.end(0, 10, in_flight=8)
    assert lists.limit.limit == LIMIT_MIN
    assert lists.limit.places == 1


def test_what_cuts_single_lists_short_now_and_then_takes_no_second_place_away() -> None:
    lists = Lists()
    while lists.limit.places > 2:
        lists.end(0, 2, in_flight=8)
    limit = lists.limit.limit
    for _ in range(5):
        lists.end(8, 2, in_flight=2)
    assert lists.limit.limit == limit
    lists.end(7, 3, in_flight=2)
    assert lists.limit.places == 1
    for _ in range(8):
        lists.end(9, 1, in_flight=1)
    assert lists.limit.places == 2


def test_what_a_whole_list_takes_is_the_mean_and_its_deviation_of_whole_lists_alone() -> None:
    now_s = 0.0
    limit = ConcurrencyLimit(MOST, lambda: now_s)
    assert limit.usual_s == 0
    for number in range(200):
        began = limit.begin()
        now_s += 0.02 if number % 2 else 0.04
        limit.ended(began, in_time=True)
        now_s += 9
        limit.ended(began, in_time=False)
    assert limit.usual_s == pytest.approx(0.04, abs=0.002)


def test_after_an_overload_the_limit_comes_back_though_few_requests_come() -> None:
    lists = Lists()
    for _ in range(60):
        lists.end(0, 10, in_flight=8)
    for _ in range(60):
        lists.end(10, 0, in_flight=0)
    assert lists.limit.limit == LIMIT_START


def test_lists_from_before_a_change_say_nothing_about_it() -> None:
    lists = Lists()
    lists.limit.admitted(8)
    began = lists.limit.begin()
    lists.now_s += 1
    for _ in range(50):
        lists.limit.ended(began, in_time=False)
    assert lists.limit.limit == pytest.approx(LIMIT_CUT * LIMIT_START)
