from hypothesis import given
from hypothesis import strategies as st

from endcap.core.token_bucket import TokenBucket
from tests.services.collector.running_collector import Ticks

STEPS = st.lists(st.tuples(st.floats(0, 10), st.integers(1, 20)), max_size=30)


@given(STEPS, st.floats(0.1, 50), st.integers(1, 30))
def test_no_key_gets_more_than_its_burst_and_its_rate_beside_one_request(steps: list[tuple[float, int]], rate: float, burst: int) -> None:
    ticks, taken = Ticks(), 0.0
    bucket = TokenBucket(rate, burst, ticks)
    for seconds, count in steps:
        ticks.seconds += seconds
        if bucket.take(count, min(count, burst)) is None:
            taken += count
            assert taken <= burst + rate * ticks.seconds + max(0, count - burst) + 1e-6


@given(STEPS, st.floats(0.1, 50), st.integers(1, 30))
def test_who_waits_as_long_as_was_said_is_served(steps: list[tuple[float, int]], rate: float, burst: int) -> None:
    ticks = Ticks()
    bucket = TokenBucket(rate, burst, ticks)
    for seconds, count in steps:
        ticks.seconds += seconds
        wait = bucket.take(count, min(count, burst))
        if wait is not None:
            ticks.seconds += wait
            assert bucket.take(count, min(count, burst)) is None
