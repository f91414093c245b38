"""The made shop grows by views alone, and is one that training takes."""

from pathlib import Path

import polars as pl

from endcap.dataset.layout import open_dataset
from endcap.training.planning.planning import Requested, plan_training
from endcap_benchmarks.synthetic.made_views import BASKET_ITEMS, BASKETS, PEOPLE, VISIT_VIEWS, write_views


def events(folder: Path, views: int) -> pl.DataFrame:
    write_views(folder, views)
    return pl.read_parquet(folder / "events.parquet")


def test_purchases_stay_the_same_while_views_grow(tmp_path: Path) -> None:
    few, many = events(tmp_path / "few", 4_000), events(tmp_path / "many", 40_000)
    bought = [frame.filter(event_type="purchase") for frame in (few, many)]
    assert bought[0].equals(bought[1])
    assert len(bought[0]) == PEOPLE * BASKETS * BASKET_ITEMS
    assert [len(frame.filter(event_type="product_view")) for frame in (few, many)] == [4_000, 40_000]
    looked = many.filter(event_type="product_view")
    assert looked["session_id"].n_unique() == 40_000 // VISIT_VIEWS
    assert looked["user_id"].null_count() > 0.7 * len(looked)
    assert many["event_id"].is_unique().all()


def test_the_shop_trains_both_models(tmp_path: Path) -> None:
    write_views(tmp_path / "shop", 4_000)
    plan = plan_training(open_dataset(tmp_path / "shop"), Requested())
    assert plan.left_out() == {}
    assert set(plan.facts.signals) == {"purchase", "add_to_cart", "product_view"}
