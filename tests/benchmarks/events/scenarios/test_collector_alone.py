import numpy as np

from endcap_benchmarks.events.load.plan import SentEvents
from endcap_benchmarks.events.scenarios.collector_alone import events_by_second


def sent(done_s: list[float], status: list[int]) -> SentEvents:
    count = len(done_s)
    zeros = np.zeros(count, dtype=np.int64)
    accepted = np.full(count, 100, dtype=np.int64) * (np.array(status, dtype=np.int64) == 200)
    return SentEvents(np.zeros(count), np.zeros(count), np.array(done_s), np.array(status, dtype=np.int64), accepted, zeros, zeros)


def test_events_count_in_the_second_of_their_answer_and_the_last_one_that_is_not_whole_is_left_out() -> None:
    assert events_by_second(sent([0.2, 0.9, 1.1, 2.5], [200] * 4)).tolist() == [200, 100]


def test_what_was_not_answered_is_in_no_second() -> None:
    assert events_by_second(sent([0.2, float("nan"), 1.1, 2.5], [200, 0, 503, 200])).tolist() == [100, 0]
    assert events_by_second(sent([float("nan")], [0])).tolist() == []
