import asyncio
from types import SimpleNamespace

import pytest

from endcap.contracts.request import Instance
from endcap.core.errors import InvalidInput
from endcap.core.person_ids import PersonIds
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.server.model import RecommendationModel, lane_of
from tests.transformers.bulk.made_parts import MadeShop
from tests.transformers.canned import CannedModel

HASHED = PersonIds(bytes(32))


def test_people_and_visits_are_looked_up_and_logged_by_the_ids_that_are_kept() -> None:
    canned = CannedModel()
    model = RecommendationModel("endcap", canned.path, canned.holder, canned.cache, ids=HASHED)  # type: ignore[arg-type]
    asked = [Instance(user_id="U1", session_id="S1", k=2), Instance(session_id="S2"), Instance(k=3)]
    asyncio.run(model.answers(None, asked, "r", 0.0))
    seen = [(instance.user_id, instance.session_id) for instance, _ in canned.path.asked]
    assert seen == [(HASHED.kept("U1"), HASHED.kept("S1")), (None, HASHED.kept("S2")), (None, None)]
    assert ["k" in instance.model_fields_set for instance, _ in canned.path.asked] == [True, False, True]


def test_ids_are_used_as_given_unless_told_otherwise() -> None:
    canned = CannedModel()
    asyncio.run(canned.model.answers(None, [Instance(user_id="U1", session_id="S1")], "r", 0.0))
    ((instance, _),) = canned.path.asked
    assert (instance.user_id, instance.session_id) == ("U1", "S1")


def test_a_request_with_many_lists_leaves_its_place_to_shoppers(served: ServedBundle) -> None:
    shop = MadeShop(served, patience_ms=60_000)

    async def run() -> tuple[int, int]:
        lane = shop.lane()
        model = RecommendationModel("endcap", shop.path, SimpleNamespace(current=served), CannedModel().cache, bulk=lane)  # type: ignore[arg-type]
        async with shop.admission.admitted("http"):
            shared, _ = await model.answers(None, [Instance(user_id="U1")] * 9, "r", 0.0)
            in_work = shop.admission.in_flight
        lane.close()
        return in_work, len(shared.answers)

    assert asyncio.run(run()) == (0, 9)
    assert shop.admission.in_flight == 0


@pytest.mark.parametrize("lists", [1, 3])
def test_a_request_that_found_no_place_is_answered_from_memory_alone(served: ServedBundle, lists: int) -> None:
    shop = MadeShop(served, patience_ms=60_000)
    model = RecommendationModel("endcap", shop.path, SimpleNamespace(current=served), CannedModel().cache)  # type: ignore[arg-type]

    async def run() -> list[list[str]]:
        degraded = []
        for _ in range(4):
            async with shop.admission.admitted("http"):
                shared, _ = await model.answers(None, [Instance(user_id="U1")] * lists, "r", 0.0)
                degraded.append(shared.answers[-1].degraded)
        shop.admission.in_flight += 1000
        async with shop.admission.admitted("http"):
            shared, _ = await model.answers(None, [Instance(user_id="U2")] * lists, "r", 0.0)
        return [*degraded, shared.answers[-1].degraded]

    *whole, last = asyncio.run(run())
    assert whole == [[]] * 4
    assert "features" in last


def test_a_lane_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"^x-endcap-lane: must be bulk, or left out; got .fast.$"):
        lane_of("fast")
