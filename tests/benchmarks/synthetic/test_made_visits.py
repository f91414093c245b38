import polars as pl

from endcap.contracts.event import Event
from endcap_benchmarks.synthetic.made_visits import write_visits


def test_a_made_shop_has_valid_events_and_follows_its_seed(tmp_path):
    folders = [write_visits(tmp_path / name, people=4, items=36, weeks=3, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    first, again, other = (pl.read_parquet(folder / "events.parquet") for folder in folders)
    assert first.equals(again)
    assert not first.equals(other)
    for row in first.drop_nulls("user_id").iter_rows(named=True):
        Event.model_validate({name: value for name, value in row.items() if value is not None})
    assert {"product_view", "add_to_cart", "purchase"} <= set(first["event_type"])


def test_nothing_is_bought_or_taken_out_that_was_not_carted_before(tmp_path):
    events = pl.read_parquet(write_visits(tmp_path / "shop", people=6, items=36, weeks=8, seed=3) / "events.parquet")
    carted = events.filter(pl.col("event_type") == "add_to_cart").group_by("user_id", "item_id").agg(pl.col("occurred_at").min())
    later = events.filter(pl.col("event_type").is_in(["purchase", "remove_from_cart"]))
    joined = later.join(carted, on=["user_id", "item_id"], how="left", suffix="_carted")
    assert (joined["occurred_at_carted"] < joined["occurred_at"]).all()
    assert joined["occurred_at_carted"].null_count() == 0
