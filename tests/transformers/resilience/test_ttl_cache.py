"""Bounds and freshness whatever the order of puts, gets and steps of the clock."""

from hypothesis import given
from hypothesis import strategies as st

from endcap_transformer.resilience.ttl_cache import TtlCache

keys = st.integers(0, 6)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys),
        st.tuples(st.just("get"), keys),
        st.tuples(st.just("stale"), keys),
        st.tuples(st.just("step"), st.sampled_from([0.0, 0.4, 1.0, 5.0, 1e6, -0.5, -1e6])),
    ),
    max_size=120,
)


@given(entries=st.integers(1, 5), fresh_s=st.sampled_from([0.0, 0.5, 3.0]), moves=moves)
def test_bounded_fresh_and_least_recently_used_goes_first(entries: int, fresh_s: float, moves) -> None:
    now = 100.0
    cache: TtlCache[int, int] = TtlCache(entries, fresh_s, lambda: now)
    model: dict[int, tuple[float, int]] = {}
    for number, (move, argument) in enumerate(moves):
        if move == "step":
            now += argument
        elif move == "put":
            cache.put(argument, number)
            if fresh_s:
                model.pop(argument, None)
                model[argument] = (now, number)
                if len(model) > entries:
                    del model[next(iter(model))]
        else:
            max_age_s = fresh_s if move == "get" else 10 * fresh_s
            at, value = model.get(argument, (now + 1, None))
            good = 0 <= now - at < max_age_s
            found = cache.get(argument, None) if move == "get" else cache.get_stale(argument, max_age_s, None)
            assert found == (value if good else None)
            if good:
                model[argument] = model.pop(argument)
        assert len(cache) == len(model) <= entries


@given(weights=st.lists(st.integers(1, 9), min_size=1, max_size=60), entries=st.integers(1, 20))
def test_weights_add_up_to_no_more_than_the_entries(weights: list[int], entries: int) -> None:
    cache: TtlCache[int, int] = TtlCache(entries, 1, lambda: 0.0, weigh=lambda value: value)
    for number, weight in enumerate(weights):
        cache.put(number % 7, weight)
        held = [cache.get(key, 0) for key in range(7)]
        assert sum(held) <= entries
        assert held[number % 7] == (weight if weight <= entries else 0)


def test_what_nobody_reads_any_more_makes_room_before_the_cache_is_full() -> None:
    now = 0.0
    cache: TtlCache[int, int] = TtlCache(1000, 5, lambda: now, keep_s=5)
    for number in range(500):
        now = number * 0.1
        cache.put(number, number)
        assert len(cache) <= 51


def test_none_is_a_value_like_any_other() -> None:
    cache: TtlCache[str, None] = TtlCache(2, 1, lambda: 0.0)
    cache.put("nobody", None)
    assert cache.get("nobody", "absent") is None
    assert cache.get("somebody", "absent") == "absent"
