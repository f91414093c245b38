"""The ranker orders where it is better than every simple method; else the best of them does. Nothing is ever refused."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.contracts.bundle import BundleManifest
from endcap.contracts.evaluation import FULL, RANKER, Evaluation
from endcap.evaluation.ordering import choose_order, choose_retrieval
from endcap.release.bundle.manifest import Bundle

METHODS = ("own_most_bought", "own_decayed", "item_to_item", "popular")
SHARES = st.floats(0, 1, allow_subnormal=False)


def of_users(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


def test_a_ranker_that_is_better_within_the_noise_stays_the_ranker() -> None:
    values = {RANKER: of_users(0.9, 0.0, 0.31), "popular": of_users(0.0, 0.9, 0.3)}
    chosen = choose_order(values, 0.0, 1, "NDCG@10")
    assert chosen.ordered_by == RANKER
    assert chosen.lift is not None and chosen.lift.low < 0 < chosen.lift.high
    assert "0.4033 against 0.4000 of popular" in chosen.reason


def test_a_ranker_that_is_no_better_gives_way_to_the_best_method() -> None:
    values = {RANKER: of_users(0.3, 0.3), "popular": of_users(0.1, 0.1), "own_decayed": of_users(0.3, 0.3)}
    chosen = choose_order(values, 0.0, 1, "NDCG@10")
    assert (chosen.ordered_by, chosen.best_method) == ("own_decayed", "own_decayed")
    assert "in place of the ranker" in chosen.reason
    assert chosen.methods["popular"].mean == pytest.approx(0.1)


def test_the_lift_that_is_asked_for_decides() -> None:
    values = {RANKER: of_users(0.3, 0.3), "popular": of_users(0.25, 0.25)}
    assert choose_order(values, 0.04, 1, "NDCG@10").ordered_by == RANKER
    refused = choose_order(values, 0.06, 1, "NDCG@10")
    assert refused.ordered_by == "popular" and "+0.0600 is needed" in refused.reason
    assert choose_order({RANKER: of_users(0.0), "popular": of_users(1.0)}, -1.0, 1, "NDCG@10").ordered_by == RANKER


def test_where_nobody_can_be_judged_popularity_orders() -> None:
    assert choose_order({}, 0.0, 1, "NDCG@10").ordered_by == "popular"
    assert choose_order({RANKER: of_users(), "own_decayed": of_users()}, 0.0, 1, "NDCG@10").ordered_by == "popular"


@given(rows=st.lists(st.lists(SHARES, min_size=5, max_size=5), min_size=1, max_size=40), min_lift=st.floats(-0.2, 0.2))
def test_something_always_orders_and_it_is_never_worse_than_the_ranker_by_default(rows: list[list[float]], min_lift: float) -> None:
    table = np.array(rows)
    values = {name: table[:, column] for column, name in enumerate((RANKER, *METHODS))}
    chosen = choose_order(values, min_lift, 7, "NDCG@10")
    assert chosen.ordered_by in values
    plain = choose_order(values, 0.0, 7, "NDCG@10")
    assert values[plain.ordered_by].mean() == pytest.approx(max(column.mean() for column in values.values()))


def test_the_two_tower_is_left_out_where_popular_items_bring_as_much() -> None:
    assert choose_retrieval(0.2, 0.1, 0.0, "recall@100") == (
        True,
        "the two-tower brings candidates: recall@100 on new items 0.2000 against 0.1000 of popular",
    )
    used, why = choose_retrieval(0.1, 0.1, 0.0, "recall@12")
    assert not used and "brings no candidates" in why
    assert choose_retrieval(0.1, 0.2, -1.0, "recall@12")[0]


def test_evaluations_and_bundles_from_before_the_choice_are_the_rankers(
    make_evaluation: Callable[..., Evaluation], make_bundle: Callable[..., Bundle]
) -> None:
    added = {"ordering", "shown", "main_k", "deep_k"}
    before = Evaluation.model_validate_json(make_evaluation().model_dump_json(exclude=added))
    assert (before.served_model, before.ranking_metric, before.retrieval_metric) == (FULL, "ndcg@10", "recall@100")
    fields = {"main_k", "ordered_by", "order_figures", "uses_two_tower"}
    manifest = BundleManifest.model_validate_json(make_bundle(1).manifest.model_dump_json(exclude=fields))
    assert (manifest.ordered_by, manifest.uses_two_tower, manifest.headline_metric) == (RANKER, True, "full/ndcg@10")
