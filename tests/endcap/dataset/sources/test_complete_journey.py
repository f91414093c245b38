import json
from datetime import UTC, datetime
from uuid import uuid3
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from endcap.contracts.tables import TABLES
from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset, open_dataset
from endcap.dataset.sources.complete_journey import CompleteJourneyOptions, import_complete_journey, package_folder
from endcap.dataset.sources.event_ids import EVENT_NAMESPACE


def read(dataset: Dataset, table: str) -> pl.DataFrame:
    return pl.read_parquet(dataset.table(table))


def lines_of(dataset: Dataset) -> pl.DataFrame:
    households = read(dataset, "users")["user_id"].cast(pl.Int64)
    lines = pl.read_parquet(package_folder() / "transactions.parquet", row_index_name="row_number")
    return lines.with_columns(pl.col("row_number") + 1).filter(pl.col("household_id").is_in(households.implode()))


def test_every_line_is_an_event_or_a_refused_row(small_journey: Dataset) -> None:
    lines = lines_of(small_journey)
    refused = pl.read_parquet(small_journey.rejected_file)
    assert small_journey.rows["events"] + small_journey.rejected["events"] == len(lines)
    assert small_journey.rejected["events"] == refused["row_number"].n_unique() > 0
    without_quantity = lines.filter(pl.col("quantity") == 0)["row_number"]
    assert set(without_quantity) <= set(refused.filter(pl.col("column") == "quantity")["row_number"])


def test_rows_satisfy_the_contracts(small_journey: Dataset) -> None:
    for table, contract in TABLES.items():
        for row in read(small_journey, table).sample(50, seed=1, with_replacement=True).to_dicts():
            attributes = {"attributes": json.loads(row["attributes"])} if "attributes" in row else {}
            assert contract.model_validate({**row, **attributes})


def test_what_was_paid_and_saved_adds_up_to_the_till(small_journey: Dataset) -> None:
    lines = lines_of(small_journey).filter(pl.col("quantity") > 0)
    known = read(small_journey, "items")["item_id"]
    lines = lines.filter(pl.col("product_id").cast(pl.String).is_in(known.implode()))
    events = read(small_journey, "events")
    paid = (lines["sales_value"] - lines["coupon_disc"]).clip(lower_bound=0).sum()
    shelf = (lines["sales_value"] + lines["retail_disc"] + lines["coupon_match_disc"]).sum()
    assert (events["quantity"] * events["unit_price"]).sum() == pytest.approx(paid, abs=1)
    assert (events["quantity"] * (events["unit_price"] + events["unit_discount"])).sum() == pytest.approx(shelf, abs=1)


def test_event_ids_are_named_after_the_line(small_journey: Dataset) -> None:
    events = read(small_journey, "events")
    assert events["event_id"].n_unique() == len(events)
    first = events.row(0, named=True)
    microseconds = round(first["occurred_at"].timestamp() * 1_000_000)
    assert first["event_id"] == str(uuid3(EVENT_NAMESPACE, f"{first['user_id']}/{first['session_id']}/{first['item_id']}/{microseconds}/1"))


def test_times_are_utc_and_in_order(small_journey: Dataset) -> None:
    moments = read(small_journey, "events")["occurred_at"]
    assert moments.is_sorted()
    assert (moments[0], moments[-1]) == (small_journey.first_event_at, small_journey.last_event_at)
    assert (
        datetime(2017, 1, 1, tzinfo=UTC) < small_journey.first_event_at < small_journey.last_event_at < datetime(2018, 1, 1, 6, tzinfo=UTC)
    )


def test_promotions_run_for_a_shop_week_from_monday(small_journey: Dataset) -> None:
    promotions = read(small_journey, "promotions").select("starts_at", "ends_at").unique()
    shop = ZoneInfo("America/New_York")
    for starts_at, ends_at in promotions.iter_rows():
        local = starts_at.astimezone(shop)
        assert (local.weekday(), local.hour) == (0, 0)
        assert (ends_at.astimezone(shop).date() - local.date()).days == 7
    assert len(promotions) == 53


def test_the_sample_has_its_items_and_their_promotions_only(small_journey: Dataset) -> None:
    assert small_journey.rows["users"] == 3
    bought = set(read(small_journey, "events")["item_id"])
    items = set(read(small_journey, "items")["item_id"])
    assert bought <= items
    assert set(read(small_journey, "promotions")["item_id"]) <= items


def test_items_have_names_paths_and_prices_for_people(small_journey: Dataset) -> None:
    items = read(small_journey, "items")
    assert not items["title"].str.contains("[A-Z]{6,}").any()
    assert items["price"].null_count() < len(items) / 20
    assert items["brand"].str.contains(r"^(National|Private) \d+$").all()
    assert set(items["availability"]) == {"in_stock"}


def test_the_same_import_is_reused_and_another_is_not(small_journey: Dataset) -> None:
    again, reused = import_complete_journey(small_journey.path, CompleteJourneyOptions(3), 0.02)
    assert reused
    assert again == small_journey


def test_a_refused_import_leaves_the_earlier_dataset(small_journey: Dataset) -> None:
    before = sorted(path.name for path in small_journey.path.parent.iterdir())
    with pytest.raises(DataRejected, match=r"events: .* more than the 0\.00% allowed: .*quantity: must be above 0"):
        import_complete_journey(small_journey.path, CompleteJourneyOptions(2), 0.0, force=True)
    assert open_dataset(small_journey.path) == small_journey
    assert sorted(path.name for path in small_journey.path.parent.iterdir()) == before


def test_fuel_is_counted_in_gallons(small_journey: Dataset) -> None:
    gasoline = read(small_journey, "items").filter(pl.col("title").str.starts_with("Gasoline"))["item_id"]
    fuel = read(small_journey, "events").filter(pl.col("item_id").is_in(gasoline.implode()) & (pl.col("quantity") != 1))
    assert len(fuel) > 0
    assert fuel["quantity"].max() < 100
    assert fuel["unit_price"].is_between(1, 6).all()
