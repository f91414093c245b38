"""One computation for all who wait, whoever of them gives up."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from endcap.core.errors import DependencyUnavailable
from endcap_transformer.resilience.cached_lookup import CachedLookup, SingleFlight, TtlCache
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.properties import examples
from tests.transformers.virtual_time import run_virtual, virtual_loop


class Dependency:
    """Answers after a while; counts how often it was asked and how many of these were cut off."""

    def __init__(self, takes_s: float = 1.0, fails: Exception | None = None) -> None:
        self.takes_s, self.fails = takes_s, fails
        self.asked = self.ended = 0

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(self.takes_s)
        self.ended += 1
        if self.fails is not None:
            raise self.fails
        return number


@given(
    waiters=st.lists(st.tuples(st.floats(0, 2), st.none() | st.floats(0, 2)), min_size=1, max_size=12),
    takes_s=st.floats(0.1, 1.0),
)
@examples(60)
def test_whoever_stays_gets_a_value_and_never_two_compute_at_once(waiters, takes_s: float) -> None:
    """Each waiter comes at some time and gives up after a while, or never."""

    async def main() -> None:
        flights: SingleFlight[str, int] = SingleFlight()
        running = most = 0

        async def compute() -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                await asyncio.sleep(takes_s)
                return 7
            finally:
                running -= 1

        async def wait(comes_s: float, patience_s: float | None) -> int | None:
            await asyncio.sleep(comes_s)
            try:
                async with asyncio.timeout(patience_s):
                    return await flights.run("key", compute)
            except TimeoutError:
                return None

        results = await asyncio.gather(*(wait(*each) for each in waiters))
        for (_, patience_s), result in zip(waiters, results, strict=True):
            if patience_s is None or patience_s > takes_s:
                assert result == 7
        await asyncio.sleep(0)
        assert (most, running, len(flights)) == (most and 1, 0, 0)

    run_virtual(main())


def test_a_leader_who_gives_up_does_not_take_the_followers_with_him() -> None:
    async def main() -> None:
        flights, dependency = SingleFlight(), Dependency()
        leader = asyncio.ensure_future(flights.run("key", dependency))
        await asyncio.sleep(0.1)
        followers = [asyncio.ensure_future(flights.run("key", dependency)) for _ in range(3)]
        await asyncio.sleep(0.1)
        leader.cancel()
        assert await asyncio.gather(*followers) == [1, 1, 1]
        assert leader.cancelled()
        assert dependency.asked == 1
        assert virtual_loop().time() == pytest.approx(1.0)

    run_virtual(main())


def test_what_nobody_waits_for_is_cancelled_and_the_next_one_starts_anew() -> None:
    async def main() -> None:
        flights, dependency = SingleFlight(), Dependency()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await flights.run("key", dependency)
            assert "key" not in flights
        assert await flights.run("key", dependency) == 3
        assert dependency.ended == 1

    run_virtual(main())


def test_an_exception_goes_to_all_and_is_forgotten() -> None:
    async def main() -> None:
        flights, dependency = SingleFlight(), Dependency(fails=DependencyUnavailable("away"))
        results = await asyncio.gather(*(flights.run("key", dependency) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in results] == [DependencyUnavailable] * 3
        dependency.fails = None
        assert await flights.run("key", dependency) == 2

    run_virtual(main())


def test_a_computation_cancelled_from_elsewhere_is_an_error_and_no_cancellation() -> None:
    async def main() -> None:
        async def cancelled() -> None:
            raise asyncio.CancelledError

        with pytest.raises(DependencyUnavailable):
            await SingleFlight().run("key", cancelled)

    run_virtual(main())


def test_keys_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        flights, dependency = SingleFlight(), Dependency()
        assert sorted(await asyncio.gather(*(flights.run(key, dependency) for key in "abc"))) == [1, 2, 3]
        assert virtual_loop().time() == pytest.approx(1.0)

    run_virtual(main())


class Lookup:
    def __init__(self, fresh_s: float = 10) -> None:
        self.registry = CollectorRegistry()
        metrics = ServingMetrics(self.registry).cache("features")
        self.cached: CachedLookup[str, int] = CachedLookup(3, fresh_s, metrics, virtual_loop().time)
        self.dependency = Dependency()

    async def __call__(self, key: str) -> int:
        value = self.cached.peek(key, None)
        return await self.cached.compute(key, self.dependency) if value is None else value

    def counted(self, outcome: str) -> float:
        return self.registry.get_sample_value("endcap_cache_lookups_total", {"cache": "features", "outcome": outcome})


def test_an_expired_hot_key_is_computed_once() -> None:
    async def main() -> None:
        lookup = Lookup()
        assert await lookup("hot") == 1
        assert await asyncio.gather(*(lookup("hot") for _ in range(5))) == [1] * 5
        await asyncio.sleep(10)
        assert await asyncio.gather(*(lookup("hot") for _ in range(100))) == [2] * 100
        assert lookup.dependency.asked == 2
        assert (lookup.counted("hit"), lookup.counted("miss")) == (5, 101)
        assert lookup.registry.get_sample_value("endcap_cache_entries", {"cache": "features"}) == 1

    run_virtual(main())


def test_a_look_finds_a_fresh_value_alone_and_counts_only_that() -> None:
    async def main() -> None:
        lookup = Lookup()
        assert lookup.cached.peek("user", None) is None
        await lookup("user")
        assert lookup.cached.peek("user", None) == 1
        await asyncio.sleep(10)
        assert lookup.cached.peek("user", None) is None
        assert (lookup.counted("hit"), lookup.counted("miss")) == (1, 1)

    run_virtual(main())


def test_a_failure_is_not_kept_and_switched_off_keeps_nothing() -> None:
    async def main() -> None:
        lookup = Lookup(fresh_s=0)
        lookup.dependency.fails = OSError("disk")
        with pytest.raises(OSError, match="disk"):
            await lookup("user")
        lookup.dependency.fails = None
        assert [await lookup("user"), await lookup("user")] == [2, 3]

    run_virtual(main())


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
