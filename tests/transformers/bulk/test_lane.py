import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.answer import Answer
from endcap.contracts.request import Filters, Instance, Surface
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.request_path import ListPurpose
from endcap_transformer.resilience.admission import Overloaded
from tests.properties import examples
from tests.transformers.bulk.made_parts import IDS, MadeShop

USERS = [f"U{number}" for number in range(20)]


def made_by_lane(shop: MadeShop, served: ServedBundle, instances: Sequence[Instance]) -> list[Answer]:
    async def run() -> list[Answer]:
        lane = shop.lane()
        try:
            return await lane.answers(instances, served, [f"r-{place}" for place in range(len(instances))], 0.0)
        finally:
            lane.close()

    return asyncio.run(run())


def made_one_by_one(shop: MadeShop, served: ServedBundle, instances: Sequence[Instance]) -> list[Answer]:
    async def run() -> list[Answer]:
        path = shop.fresh_path()
        plans = path.plans(instances)
        return [
            await path.recommend(instance, plan, served, f"r-{place}")
            for place, (instance, plan) in enumerate(zip(instances, plans, strict=True))
        ]

    return asyncio.run(run())


instances_of_a_shop = st.builds(
    Instance,
    user_id=st.none() | st.sampled_from([*USERS, "nobody"]),
    session_id=st.none() | st.sampled_from(["S1", "S7", "S19"]),
    surface=st.sampled_from([surface.value for surface in Surface]),
    item_ids=st.lists(st.sampled_from(IDS[:40]), min_size=1, max_size=5, unique=True),
    k=st.integers(1, 30),
    filters=st.builds(Filters, price_max=st.none() | st.floats(5, 50)),
    exclude=st.lists(st.sampled_from(IDS), max_size=10, unique=True),
)


@examples(40)
@given(instances=st.lists(instances_of_a_shop, min_size=1, max_size=12), together=st.integers(1, 8))
def test_a_batch_makes_the_lists_that_single_requests_get(served: ServedBundle, instances: list[Instance], together: int) -> None:
    shop = MadeShop(served, lists_together=together)
    in_bulk, single = made_by_lane(shop, served, instances), made_one_by_one(shop, served, instances)
    for ours, theirs in zip(in_bulk, single, strict=True):
        assert [item.item_id for item in ours.recommendations] == [item.item_id for item in theirs.recommendations]
        assert [item.score for item in ours.recommendations] == pytest.approx([item.score for item in theirs.recommendations], rel=1e-5)
        assert (ours.degraded, ours.ignored, ours.request_id) == (theirs.degraded, theirs.ignored, theirs.request_id)


def test_each_part_is_asked_once_for_a_whole_batch(served: ServedBundle) -> None:
    shop = MadeShop(served, lists_together=8)
    answers = made_by_lane(shop, served, [Instance(user_id=user, k=5) for user in USERS[:16]])
    assert not any(answer.degraded for answer in answers)
    assert shop.store.reads == 2
    assert shop.search.searches == 2
    assert sorted(shop.model.calls) == ["encode_query"] * 2 + ["rank"] * 2


def test_lists_of_all_surfaces_are_made_by_few_calls(served: ServedBundle) -> None:
    shop = MadeShop(served, lists_together=8)
    made_by_lane(shop, served, [Instance(user_id=user, surface=s, item_ids=[IDS[3]]) for s, user in zip(Surface, USERS, strict=False)])
    assert shop.store.reads == 1
    assert shop.search.searches == 1
    # A list of given items searches nothing, so it is ranked while the others wait for their neighbours.
    assert shop.model.calls == ["encode_query", "rank", "rank"]


@pytest.mark.parametrize(("fails", "degraded"), [("rank", ["rank"]), ("encode_query", ["query", "rank"])])
def test_a_part_that_fails_is_named_in_every_list(served: ServedBundle, fails: str, degraded: list[str]) -> None:
    answers = made_by_lane(MadeShop(served, fails=fails), served, [Instance(user_id=user, k=5) for user in USERS[:9]])
    assert [answer.degraded for answer in answers] == [degraded] * 9
    assert all(answer.recommendations for answer in answers)


def test_failures_in_bulk_open_no_circuit_of_shoppers(served: ServedBundle) -> None:
    shop = MadeShop(served, lists_together=2)
    shop.store.fails = True
    made_by_lane(shop, served, [Instance(user_id=user) for user in USERS])
    shop.store.fails = False
    assert made_one_by_one(shop, served, [Instance(user_id="U1")])[0].degraded == []
    assert shop.parts.guards["features"].breaker.state.value == "closed"


def test_bulk_lists_are_logged_and_counted_apart(served: ServedBundle) -> None:
    shop = MadeShop(served)
    made_by_lane(shop, served, [Instance(user_id=user, surface="email", k=5) for user in USERS[:9]])
    value = shop.registry.get_sample_value
    assert value("endcap_bulk_lists_total", {"surface": "email"}) == 9
    assert not value("endcap_lists_total", {"surface": "email"})
    assert not value("endcap_list_seconds_count", {"surface": "email"})
    assert not value("endcap_stage_seconds_count", {"stage": "total"})
    assert sorted(batch.request_id for batch in shop.log.batches) == [f"r-{place}" for place in range(9)]


def test_prepared_lists_are_counted_and_write_no_impression(served: ServedBundle) -> None:
    shop = MadeShop(served)

    async def run() -> list[Answer]:
        lane = shop.lane()
        answers = await lane.answers([Instance(user_id="U1", surface="email", k=5)], served, ["r"], 0.0, ListPurpose.PREPARED)
        lane.close()
        return answers

    (answer,) = asyncio.run(run())
    assert len(answer.recommendations) == 5
    assert shop.registry.get_sample_value("endcap_bulk_lists_total", {"surface": "email"}) == 1
    assert not shop.registry.get_sample_value("endcap_impressions_total")
    assert shop.log.batches == []


def test_a_batch_goes_on_only_while_no_shopper_is_in_work(served: ServedBundle) -> None:
    shop = MadeShop(served, patience_ms=60_000)

    async def run() -> tuple[int, int]:
        lane = shop.lane()
        async with shop.admission.admitted("http"):
            bulk = asyncio.create_task(lane.answers([Instance(user_id="U1")] * 9, served, ["r"] * 9, 0.0))
            for _ in range(50):
                await asyncio.sleep(0)
            meanwhile = shop.store.reads
        answers = await bulk
        lane.close()
        return meanwhile, len(answers)

    assert asyncio.run(run()) == (0, 9)


def test_a_batch_gets_on_after_its_patience_though_shoppers_never_rest(served: ServedBundle) -> None:
    shop = MadeShop(served, patience_ms=1)

    async def run() -> int:
        lane = shop.lane()
        async with shop.admission.admitted("http"):
            answers = await lane.answers([Instance(user_id="U1")] * 9, served, ["r"] * 9, 0.0)
        lane.close()
        return len(answers)

    assert asyncio.run(run()) == 9


def test_batches_of_two_callers_take_turns(served: ServedBundle) -> None:
    shop = MadeShop(served, lists_together=2)

    async def run() -> list[str]:
        lane = shop.lane()
        both = [lane.answers([Instance(user_id="U1")] * 6, served, [f"{name}-{n}" for n in range(6)], 0.0) for name in ("a", "b")]
        await asyncio.gather(*both)
        lane.close()
        return [batch.request_id[0] for batch in shop.log.batches]

    assert asyncio.run(run()) == list("aabbaabbaabb")


def test_one_request_more_than_may_wait_is_turned_away(served: ServedBundle) -> None:
    shop = MadeShop(served, requests_max=2)

    async def run() -> list[object]:
        lane = shop.lane()
        calls = [lane.answers([Instance(user_id="U1")], served, ["r"], 0.0) for _ in range(3)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        again = await lane.answers([Instance(user_id="U1")], served, ["r"], 0.0)
        lane.close()
        return [type(answer) for answer in (*answers, again)]

    assert asyncio.run(run()) == [list, list, Overloaded, list]


@pytest.mark.parametrize(("lists", "lane", "is_bulk"), [(8, None, False), (9, None, True), (1, "bulk", True)])
def test_many_lists_or_the_header_make_a_bulk_request(served: ServedBundle, lists: int, lane: str | None, is_bulk: bool) -> None:
    async def run() -> bool:
        return MadeShop(served).lane().takes(lists, lane)

    assert asyncio.run(run()) is is_bulk
