"""Visits that no shop plans for get lists like all others: thousands of events, and types of events that no model was trained on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from endcap.contracts.answer import Answer
from endcap.contracts.signatures import UNTYPED_QUERY_INPUTS
from endcap.features.columns import HISTORY_LENGTH
from endcap_transformer.live.served_bundle import ServedBundle
from tests.transformers.path.test_anonymous_visits import Encoder, session_of
from tests.transformers.path.test_request_path import IDS, ExactIndex, Store, make_path, recommend

EVENTS, K = 10_000, 50
UNKNOWN_TYPES = ["rating", "wish_list", "dwell", "search_result", ""]


def listed(served: ServedBundle, user: dict[str, Any] | None, events: list[tuple[int, str]]) -> tuple[Answer, Encoder]:
    """A list of a visit, of somebody known where there are features of a user, and what the model was asked."""
    model = Encoder(served)
    session = session_of(events, int(served.clock().timestamp())) if events else None
    path = make_path(served, {}, model=model, index=ExactIndex(served), store=Store({"V": {"user": user, "session": session}}))
    return recommend(path, served, session_id="V", k=K, explain=True), model


def is_whole(answer: Answer) -> bool:
    return (len(answer.recommendations), answer.degraded, answer.ignored) == (K, [], [])


@pytest.mark.parametrize("known", [False, True])
def test_a_visit_of_ten_thousand_events_gets_its_list(served: ServedBundle, feature_row: dict[str, Any], known: bool) -> None:
    kinds = ["product_view", "add_to_cart", "remove_from_cart", "purchase", *UNKNOWN_TYPES]
    events = [(number * 7 % len(IDS), kinds[number % len(kinds)]) for number in range(EVENTS)]
    answer, model = listed(served, feature_row if known else None, events)
    assert is_whole(answer)
    newest = [1 + item for item, _ in events[-HISTORY_LENGTH:]]
    assert model.asked[0]["history"][0].tolist() == newest


def test_what_stands_in_the_cart_is_known_after_ten_thousand_events(served: ServedBundle) -> None:
    events = [(5, "add_to_cart"), *((number % 5, "product_view") for number in range(EVENTS))]
    answer, _ = listed(served, None, events)
    assert any("left_in_cart" in (item.explanation or {})["sources"] for item in answer.recommendations if item.item_id == IDS[5])


@pytest.mark.parametrize("kind", UNKNOWN_TYPES)
def test_a_type_that_is_no_signal_is_a_look(served: ServedBundle, kind: str) -> None:
    answer, model = listed(served, None, [(100, kind), (7, "product_view")])
    assert is_whole(answer)
    assert model.asked[0]["history"][0, -2:].tolist() == [101, 8]
    assert set(model.asked[0]["history_signal"][0, -2:].tolist()) <= {3, 4}


def test_a_bundle_of_purchases_only_takes_carts_and_views_of_a_visit(served: ServedBundle) -> None:
    untyped = replace(served, manifest=served.manifest.model_copy(update={"query_inputs": UNTYPED_QUERY_INPUTS}))
    answer, model = listed(untyped, None, [(100, "product_view"), (7, "add_to_cart")])
    assert is_whole(answer)
    assert set(model.asked[0]) == set(UNTYPED_QUERY_INPUTS)


def test_features_of_signals_of_every_item_and_of_types_of_a_newer_version(served: ServedBundle, feature_row: dict[str, Any]) -> None:
    now_s = int(served.clock().timestamp())
    lists = {
        "signal_item_ids": IDS,
        **{name: [1.0] * len(IDS) for name in ("signal_views", "signal_carts")},
        **{name: [now_s - 60] * len(IDS) for name in ("signal_last_viewed_at", "signal_in_cart_at")},
        "signal_rated_low": [0.0] * len(IDS),
        "history_signals": np.resize([1, 2, 3, 4, 77], len(feature_row["history_item_ids"])).tolist(),
    }
    answer, model = listed(served, feature_row | lists, [])
    assert is_whole(answer)
    assert set(np.unique(model.asked[0]["history_signal"])) <= {0, 1, 2, 3, 4}
