"""A visit of nobody known gets a list of its own: a query, the nearest items to it, and the ranker's order."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.answer import Answer
from endcap.contracts.signatures import ENCODE_QUERY_INPUTS, UNTYPED_QUERY_INPUTS
from endcap_transformer.live.served_bundle import ServedBundle
from tests.transformers.path.test_request_path import IDS, ExactIndex, Model, Store, items_of, make_path, recommend

VISITS = {
    "one-click": [(100, "product_view")],
    "other-click": [(7, "product_view")],
    "two-views": [(7, "product_view"), (100, "product_view")],
    "carted": [(100, "product_view"), (100, "add_to_cart")],
}


class Encoder(Model):
    """The query is the middle of the history's items, a cart counting twice; keeps the inputs it was asked with."""

    def __init__(self, served: ServedBundle) -> None:
        super().__init__(served)
        self.embeddings = served.tables.item_embeddings
        self.asked: list[dict[str, NDArray[Any]]] = []

    async def predict(self, signature: str, version: int, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        answer = await super().predict(signature, version, inputs)
        if signature == "encode_query":
            self.asked.append(inputs)
            weight = np.where(inputs.get("history_signal", inputs["history"]) == 2, 2, 1)
            middle = (self.embeddings[inputs["history"][0]] * weight[0][:, None]).sum(axis=0)
            answer["embedding"] = (middle / np.linalg.norm(middle))[None, :].astype(np.float32)
        return answer


def session_of(events: list[tuple[int, str]], now_s: int) -> dict[str, list[Any]]:
    """A visit's features, its last event a minute ago."""
    return {
        "session_item_ids": [IDS[item] for item, _ in events],
        "session_event_types": [kind for _, kind in events],
        "session_occurred_at": [now_s - 60 * (len(events) - place) for place in range(len(events))],
    }


def visited(served: ServedBundle, **fields: Any) -> tuple[Answer, Encoder]:
    """A list of a visit or of what a request says was looked at, and what the model was asked."""
    model = Encoder(served)
    now_s = int(served.clock().timestamp())
    rows = {name: {"user": None, "session": session_of(events, now_s)} for name, events in VISITS.items()}
    path = make_path(served, {}, model=model, index=ExactIndex(served), store=Store(rows))
    return recommend(path, served, **({"k": 20, "explain": True} | fields)), model


def nearest(answer: Answer) -> set[str]:
    return {item.item_id for item in answer.recommendations if item.source == "two_tower"}


def test_visit_of_one_click_has_a_query_its_nearest_items_and_the_rankers_order(served: ServedBundle) -> None:
    answer, model = visited(served, session_id="one-click")
    assert answer.degraded == []
    assert [name for name, _ in model.calls] == ["encode_query", "rank"]
    assert model.asked[0]["history"][0, -2:].tolist() == [0, 101]
    assert model.asked[0]["history_signal"][0, -2:].tolist() == [0, 3]
    assert nearest(answer)


def test_two_visits_have_lists_of_their_own(served: ServedBundle) -> None:
    one, other = (visited(served, session_id=name)[0] for name in ("one-click", "other-click"))
    assert nearest(one) - nearest(other)
    assert items_of(one) != items_of(other)


def test_what_a_request_says_was_looked_at_counts_as_the_visit_does(served: ServedBundle) -> None:
    of_visit, _ = visited(served, session_id="one-click")
    of_request, model = visited(served, item_ids=[IDS[100]])
    assert [name for name, _ in model.calls] == ["encode_query", "rank"]
    assert model.asked[0]["history_signal"][0, -2:].tolist() == [0, 3]
    assert nearest(of_request) & nearest(of_visit)


def test_items_of_the_request_come_after_those_of_the_visit(served: ServedBundle) -> None:
    _, model = visited(served, session_id="one-click", item_ids=[IDS[7]])
    assert model.asked[0]["history"][0, -3:].tolist() == [0, 101, 8]


def test_view_and_cart_of_an_item_are_one_step_of_the_query(served: ServedBundle) -> None:
    _, model = visited(served, session_id="carted")
    assert model.asked[0]["history"][0, -2:].tolist() == [0, 101]
    assert model.asked[0]["history_signal"][0, -2:].tolist() == [0, 2]


def test_visit_is_not_read_without_consent(served: ServedBundle) -> None:
    answer, model = visited(served, session_id="one-click", consent={"personalisation": False})
    assert model.calls == []
    assert nearest(answer) == set()


def test_bundle_of_before_is_asked_for_what_it_knows(served: ServedBundle) -> None:
    _, model = visited(served, session_id="two-views")
    assert set(model.asked[0]) == set(ENCODE_QUERY_INPUTS)
    before = replace(served, manifest=served.manifest.model_copy(update={"query_inputs": UNTYPED_QUERY_INPUTS}))
    answer, model = visited(before, session_id="two-views")
    assert set(model.asked[0]) == set(UNTYPED_QUERY_INPUTS)
    assert nearest(answer)
