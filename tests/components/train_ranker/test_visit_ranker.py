"""The ranker of visits learns what brings people on in them, and is judged by visits that it did not see."""

from dataclasses import replace

import numpy as np
import pytest

from endcap.contracts.evaluation import RANKER
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap_components.evaluate.served_order import OrderLimits, order_by_visits
from endcap_components.train_ranker.blend import JUST_DAYS, JUST_SEEN, RELATED, SEEN, VISIT_TERMS
from endcap_components.train_ranker.examples import RankingExamples
from endcap_components.train_ranker.visit_ranker import fit_visit_ranker
from tests.components.train_ranker.test_blend import EACH, QUERIES, made_examples


def coming_back(just: float, related: float, seed: int = 3) -> RankingExamples:
    """Each visit has two items of its own, one looked at just now; the next look is drawn by these and by what goes with them."""
    random = np.random.default_rng(seed)
    made = made_examples(0.0, 0.0, seed)
    pair = np.zeros((QUERIES * EACH, len(PAIR_NUMERIC)), dtype=np.float32)
    first = np.arange(QUERIES) * EACH
    pair[first, PAIR_NUMERIC.index(SEEN)] = pair[first + 1, PAIR_NUMERIC.index(SEEN)] = 1
    pair[:, PAIR_NUMERIC.index("days_since_viewed")] = 400
    pair[first, PAIR_NUMERIC.index("days_since_viewed")] = 0
    pair[first + 1, PAIR_NUMERIC.index("days_since_viewed")] = JUST_DAYS * 9
    pair[:, PAIR_NUMERIC.index(RELATED)] = random.exponential(size=len(pair))
    seen = pair[:, PAIR_NUMERIC.index(SEEN)] / (1 + pair[:, PAIR_NUMERIC.index("days_since_viewed")] / JUST_DAYS)
    utility = just * seen + related * np.sqrt(pair[:, PAIR_NUMERIC.index(RELATED)]) + random.gumbel(size=len(pair))
    chosen = utility.reshape(QUERIES, EACH).argmax(axis=1) + first
    labels = np.zeros((len(pair), 1), dtype=np.float32)
    labels[chosen] = 1
    item = np.zeros((len(pair), len(ITEM_NUMERIC)), dtype=np.float32)
    item[:, ITEM_NUMERIC.index("views_28d")] = random.integers(0, 50, size=len(pair))
    visit, nobody = np.arange(QUERIES, dtype=np.int64) // 2, np.zeros(QUERIES, dtype=bool)
    return replace(made, pair_numeric=pair, labels=labels, item_numeric=item, objectives=("view",), held_out=nobody, user=visit)


@pytest.mark.parametrize(("just", "related"), [(4.0, 0.0), (0.0, 2.0), (3.0, 1.5)])
def test_weights_are_those_by_which_people_went_on(just: float, related: float) -> None:
    metrics = fit_visit_ranker(coming_back(just, related), seed=1).metrics
    assert metrics[f"weight_{JUST_SEEN}"] + metrics[f"weight_{SEEN}"] == pytest.approx(just, abs=0.8)
    assert metrics[f"weight_{RELATED}"] == pytest.approx(related, abs=0.5)
    assert {name for name in metrics if name.startswith("weight_")} == {f"weight_{name}" for name in VISIT_TERMS}


def test_it_orders_where_it_is_better_than_simple_orders() -> None:
    fitted = fit_visit_ranker(coming_back(4.0, 0.0), seed=1)
    assert {len(each) for each in fitted.ndcg.values()} == {QUERIES}
    ordering = order_by_visits(fitted.ndcg, OrderLimits(), seed=1)
    assert ordering is not None
    assert ordering.ordered_by == RANKER
    assert f"over {QUERIES} moments of visits" in ordering.reason
    assert ordering.lift is not None
    assert ordering.lift.low > 0.2


def test_a_lift_that_is_asked_for_and_not_reached_leaves_the_order_to_a_method() -> None:
    fitted = fit_visit_ranker(coming_back(0.0, 0.0), seed=1)
    ordering = order_by_visits(fitted.ndcg, OrderLimits(min_lift=0.3), seed=1)
    assert ordering is not None
    assert ordering.ordered_by != RANKER


def test_it_is_judged_by_visits_that_it_did_not_see() -> None:
    """Where there is nothing to be learned, what is learned by heart is worth nothing."""
    by_chance = fit_visit_ranker(coming_back(0.0, 0.0), seed=1).ndcg[RANKER].mean()
    assert by_chance == pytest.approx(sum(1 / np.log2(place + 1) for place in range(1, 11)) / EACH, abs=0.04)


def test_visits_of_which_nothing_can_be_judged_leave_the_order_to_popularity() -> None:
    ordering = order_by_visits({RANKER: np.zeros(0), "popular": np.zeros(0)}, OrderLimits(), seed=1)
    assert ordering is not None
    assert ordering.ordered_by == "popular"
    assert "there are no moments of visits to judge by" in ordering.reason


def test_no_order_of_visits_is_known_of_a_ranker_of_purchases() -> None:
    assert order_by_visits({}, OrderLimits(), seed=1) is None
