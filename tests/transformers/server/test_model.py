import asyncio

from endcap.contracts.request import Instance
from endcap.core.person_ids import PersonIds
from endcap_transformer.server.model import RecommendationModel
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
