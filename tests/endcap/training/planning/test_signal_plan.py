"""What events beside purchases allow to train is said before anything is trained."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from endcap.contracts.signals import Signal, Signals
from endcap.contracts.training_plan import TrainingPlan
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import open_dataset
from endcap.training.planning.balance import REACHED_MIN, TIMES_MAX, balanced, reached
from endcap.training.planning.plan_table import plan_lines
from endcap.training.planning.planning import Requested, plan_training
from tests.journeys.shops import SHOPS, Line, looks, shoppers, write_dataset

Planned = Callable[..., TrainingPlan]


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def plan(lines: list[Line], signals: Signals | None = None) -> TrainingPlan:
        folder = tmp_path / f"shop-{len(list(tmp_path.iterdir()))}"
        return plan_training(open_dataset(write_dataset(folder, lines)), Requested(signals=signals or Signals()))

    return plan


def test_receipts_have_no_signals_of_their_own(planned: Planned) -> None:
    plan = planned(shoppers(users=80))
    assert (plan.facts.signals, plan.notes, plan.objectives, plan.eligible_by) == ({}, [], ["purchase"], "purchases")
    assert plan.signals == Signals()


def test_views_are_counted_by_people_and_visits(tmp_path: Path) -> None:
    plan = plan_training(open_dataset(SHOPS["web visits"](tmp_path / "shop")), Requested())
    views = plan.facts.signals["product_view"]
    assert views.events == 3000
    assert 0 < views.anonymous < views.events
    assert views.visits > 500
    assert views.people <= 80
    assert plan.facts.signals["purchase"].events == plan.facts.purchases
    assert plan.is_personal
    assert any("product view" in line and "3,000" in line for line in plan_lines(plan))


def test_a_shop_with_views_only_learns_the_next_view_from_visits(planned: Planned) -> None:
    plan = planned(looks())
    assert plan.facts.purchases == 0
    assert plan.objective == "next_item"
    assert plan.objectives == ["product_view"]
    assert plan.eligible_by == "interactions"
    assert plan.trains("item_to_item")
    assert not plan.trains("complements")
    assert "people and visits" in plan.parts["two_tower"].reason
    assert (plan.trains("ranker"), plan.ranks) == (True, "visits")
    assert plan.parts["ranker"].reason.startswith("learns what comes next in visits: from ")


def test_too_few_visits_leave_the_ranker_out(planned: Planned) -> None:
    plan = planned(looks(60))
    assert plan.objective == "next_item"
    assert (plan.trains("ranker"), plan.ranks) == (False, "purchases")


def test_who_buys_teaches_the_ranker_where_there_are_enough(planned: Planned) -> None:
    plan = planned([*looks(), *shoppers(users=80)])
    assert (plan.trains("ranker"), plan.ranks, plan.parts["ranker"].reason) == (True, "purchases", "")


def test_few_purchases_among_many_views_train_on_the_views(planned: Planned) -> None:
    plan = planned([*looks(), *shoppers(users=2, weeks=3)])
    assert plan.eligible_by == "interactions"
    assert plan.objective == "next_item"
    assert "product_view" in plan.objectives
    assert plan.facts.trainable_items >= 20


def test_an_objective_that_nobody_reaches_is_told_and_not_learned(planned: Planned) -> None:
    carts = [replace(line, kind="add_to_cart") for line in looks(4)]
    plan = planned([*looks(), *carts])
    assert plan.objectives == ["product_view"]
    assert not plan.signals.add_to_cart.predicted
    assert any("next add_to_cart is no objective" in note for note in plan.notes)
    assert any("no objective" in line for line in plan_lines(plan))


def test_a_type_that_drowns_the_others_counts_less_and_it_is_told(planned: Planned) -> None:
    plan = planned([*looks(1000), *shoppers(users=2, weeks=2)])
    views, purchases = plan.facts.signals["product_view"], plan.facts.signals["purchase"]
    assert plan.signals.product_view.weight * views.events == pytest.approx(TIMES_MAX * purchases.events)
    assert any("drown" in note for note in plan.notes)


def test_weights_for_types_that_the_data_lacks_are_refused(planned: Planned) -> None:
    nothing = Signals(purchase=Signal(weight=0), rating=Signal(weight=0))
    with pytest.raises(InvalidInput, match=r"signals: no type of event with a weight above 0 is in the data"):
        planned(shoppers(users=5), nothing)
    only_carts = Signals(purchase=Signal(weight=0), rating=Signal(weight=0), product_view=Signal(weight=0))
    with pytest.raises((InvalidInput, DataRejected)):
        planned(looks(5), only_carts)


def test_views_without_weight_leave_a_shop_as_one_of_receipts(planned: Planned) -> None:
    alone = planned(shoppers(users=80))
    plan = planned([*shoppers(users=80), *looks(20)], Signals(product_view=Signal(weight=0)))
    assert plan.facts.signals == {}
    assert plan.facts.trainable_items == alone.facts.trainable_items
    assert plan.objectives == ["purchase"]


def test_balance_keeps_what_is_not_too_much() -> None:
    asked = Signals()
    assert balanced(asked, {1: 374, 3: 14_500}) == (asked, [])
    assert balanced(asked, {3: 10}) == (asked, [])
    lowered, notes = balanced(asked, {1: 10, 3: 1_000_000})
    assert lowered.product_view.weight == pytest.approx(1e-4)
    assert len(notes) == 1


def test_objectives_all_stay_where_none_is_reached() -> None:
    assert reached(Signals(), {1: 3, 3: 4}) == (Signals(), [])
    kept, notes = reached(Signals(), {1: REACHED_MIN - 1, 3: REACHED_MIN})
    assert (kept.purchase.predicted, kept.product_view.predicted, len(notes)) == (False, True, 1)
