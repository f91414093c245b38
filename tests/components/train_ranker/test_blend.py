"""The blend learns what each source is worth, and orders where it finds more than the network for the users held out."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap_components.train_ranker.blend import NEAR, TERMS, Blend, fit_blend
from endcap_components.train_ranker.choice import BLEND, NETWORK, fit_model, held_out_ndcg
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.train import predict_logits

QUERIES, EACH, DIM = 400, 30, 4


def made_examples(near: float, bought_with: float, seed: int = 0, weight: float = 1.0) -> RankingExamples:
    """Every query buys one candidate, by chances that grow with nearness and with the square root of `bought_with`."""
    random = np.random.default_rng(seed)
    rows = QUERIES * EACH
    query_embedding = random.normal(size=(QUERIES, DIM)).astype(np.float32)
    item_embedding = random.normal(size=(rows, DIM)).astype(np.float32)
    pair = np.zeros((rows, len(PAIR_NUMERIC)), dtype=np.float32)
    pair[:, PAIR_NUMERIC.index("bought_with")] = random.exponential(size=rows)
    row = np.repeat(np.arange(QUERIES), EACH)
    closeness = (query_embedding[row] * item_embedding).sum(axis=1)
    utility = near * closeness + bought_with * np.sqrt(pair[:, PAIR_NUMERIC.index("bought_with")])
    chosen = (utility + random.gumbel(size=rows)).reshape(QUERIES, EACH).argmax(axis=1) + np.arange(QUERIES) * EACH
    labels = np.zeros((rows, 1), dtype=np.float32)
    labels[chosen] = 1
    return RankingExamples(
        user=np.arange(QUERIES),
        query_embedding=query_embedding,
        user_numeric=np.zeros((QUERIES, len(USER_NUMERIC)), dtype=np.float32),
        user_categories=np.zeros((QUERIES, len(USER_CATEGORICAL)), dtype=np.int32),
        context=np.ones((QUERIES, len(CONTEXT)), dtype=np.int32),
        start=np.arange(0, rows + 1, EACH),
        item_row=np.arange(rows, dtype=np.int32),
        pair_numeric=pair,
        objectives=("buy",),
        labels=labels,
        weight=np.where(labels[:, 0] > 0, 1.0, weight).astype(np.float32),
        is_new=np.ones(rows, dtype=np.bool_),
        held_out=np.arange(QUERIES) % 5 == 0,
        item_numeric=np.zeros((rows, len(ITEM_NUMERIC)), dtype=np.float32),
        item_embedding=item_embedding,
    )


@pytest.mark.parametrize(("near", "bought_with"), [(1.0, 0.0), (0.0, 2.0), (0.8, 1.5)])
def test_weights_are_those_by_which_people_chose(near: float, bought_with: float) -> None:
    found = fit_blend(made_examples(near, bought_with)).described()
    assert found[NEAR] == pytest.approx(near, abs=0.2)
    assert found["bought_with"] == pytest.approx(bought_with, abs=0.5)
    assert all(found[name] < 0.5 for name in set(TERMS) - {NEAR, "bought_with"})


def test_candidates_that_stand_for_many_do_not_change_what_sources_are_worth() -> None:
    assert fit_blend(made_examples(1.0, 0.0, weight=8.0)).described()[NEAR] == pytest.approx(1.0, abs=0.25)


def test_nobody_who_bought_leaves_all_sources_alike() -> None:
    examples = made_examples(1.0, 1.0)
    examples.labels[:] = 0
    assert set(fit_blend(examples).described().values()) == {1.0}


def test_the_better_on_users_held_out_orders() -> None:
    examples = made_examples(2.0, 0.0)
    untrained = RankerHyperparameters(epochs=1, steps_min=1, members=1, learning_rate=1e-9)
    model, calibration, metrics = fit_model(examples, [2] * len(USER_CATEGORICAL), untrained, is_next_item=True, seed=1)
    assert isinstance(model, Blend)
    assert metrics["held_out_ndcg_blend"] > metrics["held_out_ndcg_network"] + 0.1
    assert list(calibration) == ["buy"]
    queries = np.flatnonzero(examples.held_out)
    judged = held_out_ndcg(predict_logits(model, examples, queries)[:, 0], examples, queries)
    assert judged == pytest.approx(metrics["held_out_ndcg_blend"])


def test_several_objectives_get_the_network_since_a_blend_would_order_all_of_them_alike() -> None:
    examples = made_examples(2.0, 0.0)
    several = replace(examples, objectives=("buy", "cart"), labels=np.repeat(examples.labels, 2, axis=1))
    parameters = RankerHyperparameters.of({"epochs": 1, "steps_min": 1, "members": 1})
    model, calibration, _ = fit_model(several, [2] * len(USER_CATEGORICAL), parameters, is_next_item=True, seed=1)
    assert not isinstance(model, Blend)
    assert list(calibration) == ["buy", "cart"]


@pytest.mark.parametrize(("kind", "is_next_item", "expected"), [(BLEND, False, Blend), (NETWORK, True, None), ("auto", False, None)])
def test_what_is_asked_for_orders_and_windows_get_the_network(kind: str, is_next_item: bool, expected: type | None) -> None:
    parameters = RankerHyperparameters.of({"kind": kind, "epochs": 1, "steps_min": 1, "members": 1})
    model, _, metrics = fit_model(made_examples(1.0, 0.0), [2] * len(USER_CATEGORICAL), parameters, is_next_item=is_next_item, seed=1)
    assert isinstance(model, Blend) == (expected is Blend)
    assert "held_out_ndcg_blend" not in metrics
