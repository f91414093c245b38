import json
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.event import Event
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import open_dataset
from endcap.dataset.sources.folder import import_folder
from tests.properties import examples

ITEMS = "sku,name,group,price\nA1,Green tea,Food > Tea,3.50\nA2,Mug,Kitchen,8\n"
ORDERS = (
    "order,when,sku,qty,price,customer\n1,2026-03-01 09:00,A1,2,3.50,ann\n1,2026-03-01 09:00,A2,1,8.00,ann\n2,2026-03-02 10:30,A1,1,3.50,\n"
)
MAPPING = """
currency: EUR
time_zone: Europe/Berlin
tables:
  items:
    files: items.csv
    columns: {item_id: sku, title: name, category_path: group, price: price}
  events:
    files: orders/*.csv
    columns: {session_id: order, occurred_at: when, item_id: sku, quantity: qty, unit_price: price, user_id: customer}
    constants: {event_type: purchase, channel: web}
    event_id_from: [order, sku]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "orders").mkdir(parents=True)
    (folder / "items.csv").write_text(ITEMS)
    (folder / "orders" / "2026-03.csv").write_text(ORDERS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    return folder


def bring_in(shop: Path, mapping: str | None = None, share: float = 0.5, out: str = "data"):
    file = shop.parent / "mapping.yaml"
    if mapping is not None:
        file.write_text(mapping)
    return import_folder(shop, file, shop.parent / out, share)[0]


def rejected(shop: Path) -> list[dict]:
    return pl.read_parquet(shop.parent / "data" / "rejected.parquet").to_dicts()


def add_order(shop: Path, line: str) -> None:
    file = shop / "orders" / "2026-03.csv"
    file.write_text(file.read_text() + line + "\n")


def test_mapped_csv_becomes_a_canonical_dataset(shop: Path) -> None:
    dataset = bring_in(shop)
    assert open_dataset(dataset.path) == dataset
    assert dataset.rows == {"items": 2, "events": 3}
    assert dataset.currency == "EUR"
    events = pl.read_parquet(dataset.table("events"))
    assert events["occurred_at"].dt.to_string("iso").to_list()[0].startswith("2026-03-01 08:00:00")
    assert events["user_id"].to_list() == ["ann", "ann", None]
    assert pl.read_parquet(dataset.table("items"))["category_path"].to_list() == [["Food", "Tea"], ["Kitchen"]]


def test_imported_rows_satisfy_the_contract(shop: Path) -> None:
    for row in pl.read_parquet(bring_in(shop).table("events")).to_dicts():
        assert Event.model_validate(row).event_type == "purchase"


def test_event_ids_are_the_same_at_every_import(shop: Path) -> None:
    first = pl.read_parquet(bring_in(shop).table("events"))["event_id"].to_list()
    second = pl.read_parquet(bring_in(shop, out="again").table("events"))["event_id"].to_list()
    assert first == second
    assert len(set(first)) == 3


def test_naive_times_are_refused_without_a_zone(shop: Path) -> None:
    with pytest.raises(DataRejected, match=r"events: 3 of 3 rows .*occurred_at: the time has no zone; name one in the mapping"):
        bring_in(shop, MAPPING.replace("time_zone: Europe/Berlin", ""))
    assert not (shop.parent / "data").exists()


def test_times_with_an_offset_need_no_zone(shop: Path) -> None:
    mapping = MAPPING.replace("time_zone: Europe/Berlin", "")
    (shop / "orders" / "2026-03.csv").write_text(
        "order,when,sku,qty,price,customer\n1,2026-03-01T09:00:00+02:00,A1,1,1,a\n"
        "2,2026-03-01T09:00:00Z,A1,1,1,a\n3,2026-03-01 09:00:00.5-0530,A1,1,1,a\n"
    )
    events = pl.read_parquet(bring_in(shop, mapping).table("events"))
    assert [str(moment) for moment in events["occurred_at"]] == [
        "2026-03-01 07:00:00+00:00",
        "2026-03-01 09:00:00+00:00",
        "2026-03-01 14:30:00.500000+00:00",
    ]


def test_hours_that_clock_changes_skip_or_repeat_are_refused(shop: Path) -> None:
    add_order(shop, "3,2026-03-29 02:30,A1,1,1,bob")
    add_order(shop, "4,2026-10-25 02:30,A1,1,1,bob")
    add_order(shop, "5,2026-10-25T02:30:00+01:00,A1,1,1,bob")
    dataset = bring_in(shop)
    assert dataset.rows["events"] == 4
    reasons = {(row["row_number"], row["column"]): row["reason"] for row in rejected(shop)}
    assert "does not exist in Europe/Berlin" in reasons[4, "occurred_at"]
    assert "comes twice in Europe/Berlin" in reasons[5, "occurred_at"]
    assert len(reasons) == 2


def test_bad_rows_are_kept_with_place_reason_and_source_values(shop: Path) -> None:
    add_order(shop, "3,2026-03-03 10:00,A1,two,1,bob")
    add_order(shop, "4,2026-03-03 10:00,A9,1,1,bob")
    add_order(shop, "5,2026-03-03 10:00,A1,0,-1,bob")
    dataset = bring_in(shop, share=0.9)
    assert dataset.rejected["events"] == 3
    lines = rejected(shop)
    assert [(line["row_number"], line["column"], line["reason"]) for line in lines] == [
        (4, "quantity", "is not a number"),
        (5, "item_id", "not in the table items"),
        (6, "quantity", "must be above 0"),
        (6, "unit_price", "must be 0 or more"),
    ]
    assert json.loads(lines[0]["row"])["qty"] == "two"
    assert lines[0]["file"] == "orders/2026-03.csv"


def test_a_line_with_too_many_fields_is_refused_and_does_not_shift_row_numbers(shop: Path) -> None:
    add_order(shop, "3,2026-03-03 10:00,A1,1,1,bob,too,many")
    add_order(shop, "4,2026-03-03 10:00,A1,0,1,bob")
    bring_in(shop, share=0.9)
    assert [(line["row_number"], line["column"]) for line in rejected(shop)] == [(4, ""), (5, "quantity")]
    assert "too,many" in json.loads(rejected(shop)[0]["row"])["text"]


def test_the_first_of_equal_event_ids_stays(shop: Path) -> None:
    add_order(shop, "1,2026-03-01 09:00,A1,7,3.50,ann")
    dataset = bring_in(shop)
    assert pl.read_parquet(dataset.table("events")).filter(pl.col("item_id") == "A1")["quantity"].to_list() == [2.0, 1.0]
    assert [(line["row_number"], line["column"], line["reason"]) for line in rejected(shop)] == [
        (4, "event_id", "the same id with other content; the first row stays")
    ]
    assert json.loads(rejected(shop)[0]["row"])["quantity"] == 7.0


def test_copies_of_a_named_event_count_once_and_are_no_bad_rows(shop: Path) -> None:
    for _ in range(3):
        add_order(shop, "1,2026-03-01 09:00,A1,2,3.50,ann")
    dataset = bring_in(shop, share=0.0)
    assert (dataset.rows["events"], dataset.rejected["events"], dataset.copies, dataset.equal_lines) == (3, 0, {"events": 3}, 0)
    assert open_dataset(dataset.path) == dataset
    assert rejected(shop) == []


def test_equal_lines_that_only_their_place_names_are_different_units(shop: Path) -> None:
    for _ in range(2):
        add_order(shop, "1,2026-03-01 09:00,A1,2,3.50,ann")
    dataset = bring_in(shop, MAPPING.replace("    event_id_from: [order, sku]\n", ""), share=0.0)
    assert (dataset.rows["events"], dataset.copies, dataset.equal_lines) == (5, {}, 2)
    assert open_dataset(dataset.path) == dataset


def test_copies_of_items_and_users_are_no_bad_rows_and_another_item_under_an_id_is_one(shop: Path) -> None:
    (shop / "items.csv").write_text(ITEMS + "A1,Green tea,Food > Tea,3.50\nA2,Bowl,Kitchen,8\nA1,Green tea,Food > Tea,3.50\n")
    (shop / "users.csv").write_text("id,region\nann,north\nann,north\nbob,\n")
    mapping = MAPPING + "  users: {files: users.csv, columns: {user_id: id, region: region}}\n"
    dataset = bring_in(shop, mapping, share=0.2)
    assert (dataset.rows["items"], dataset.rejected["items"], dataset.copies) == (2, 1, {"items": 2, "users": 1})
    assert pl.read_parquet(dataset.table("items"))["title"].to_list() == ["Green tea", "Mug"]
    assert [(row["row_number"], row["column"]) for row in rejected(shop)] == [(4, "item_id")]


ROWS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["A1", "A2"]), st.integers(1, 2)), min_size=1, max_size=20)


@examples(15)
@given(rows=ROWS)
def test_every_row_is_kept_a_copy_or_refused(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, int]]) -> None:
    folder = tmp_path_factory.mktemp("copies") / "shop"
    (folder / "orders").mkdir(parents=True)
    (folder / "items.csv").write_text(ITEMS)
    lines = [f"{order},2026-03-01 09:00,{sku},{quantity},1,ann" for order, sku, quantity in rows]
    (folder / "orders" / "all.csv").write_text("order,when,sku,qty,price,customer\n" + "\n".join(lines) + "\n")
    dataset = bring_in(folder, MAPPING, share=1.0)
    first = {(order, sku): quantity for order, sku, quantity in reversed(rows)}
    copies = sum(first[order, sku] == quantity for order, sku, quantity in rows) - len(first)
    assert dataset.rows["events"] == len(first)
    assert dataset.copies.get("events", 0) == copies
    assert dataset.rejected["events"] == len(rows) - len(first) - copies
    assert sorted(pl.read_parquet(dataset.table("events"))["quantity"]) == sorted(first.values())


def test_purchases_without_price_and_customer_are_taken_and_counted(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text("order,when,sku,qty\n1,2026-03-01 09:00,A1,2\n2,2026-03-01 09:00,A2,1\n")
    dataset = bring_in(shop, MAPPING.replace(", unit_price: price, user_id: customer", ""), share=0.0)
    assert (dataset.rows["events"], dataset.currency) == (2, None)
    assert (dataset.events_without_user, dataset.purchases_without_price) == (2, 2)
    assert open_dataset(dataset.path) == dataset


def test_above_the_allowed_share_the_earlier_dataset_stays(shop: Path) -> None:
    earlier = bring_in(shop)
    add_order(shop, "3,2026-03-03 10:00,A1,0,1,bob")
    with pytest.raises(
        DataRejected, match=r"events: 1 of 4 rows \(25\.00%\) are bad, more than the 10\.00% allowed: quantity: must be above 0 \(1 row\)"
    ):
        bring_in(shop, share=0.1)
    assert open_dataset(earlier.path) == earlier
    assert sorted(path.name for path in shop.parent.iterdir()) == ["data", "mapping.yaml", "shop"]


def test_a_missing_column_is_named_with_the_columns_that_exist(shop: Path) -> None:
    with pytest.raises(
        InvalidInput, match=r"tables\.events: the column amount is not in orders/2026-03\.csv .*columns are order, when, sku, qty"
    ):
        bring_in(shop, MAPPING.replace("quantity: qty", "quantity: amount"))


def test_the_same_files_and_mapping_reuse_the_dataset(shop: Path) -> None:
    bring_in(shop)
    mapping = shop.parent / "mapping.yaml"
    assert import_folder(shop, mapping, shop.parent / "data", 0.5)[1]
    add_order(shop, "9,2026-03-05 10:00,A1,1,1,bob")
    assert not import_folder(shop, mapping, shop.parent / "data", 0.5)[1]


def test_parquet_files_with_typed_columns_are_taken(shop: Path) -> None:
    orders = pl.read_csv(shop / "orders" / "2026-03.csv", try_parse_dates=True).with_columns(pl.col("order").cast(pl.Float64))
    orders.write_parquet(shop / "orders.parquet")
    dataset = bring_in(shop, MAPPING.replace("orders/*.csv", "orders.parquet"))
    events = pl.read_parquet(dataset.table("events"))
    assert events["session_id"].to_list() == ["1", "1", "2"]
    assert str(events["occurred_at"][0]) == "2026-03-01 08:00:00+00:00"


def test_a_damaged_parquet_file_is_one_clear_error(shop: Path) -> None:
    (shop / "orders.parquet").write_bytes(b"PAR1 this is not it PAR1")
    with pytest.raises(DataRejected, match=r"orders\.parquet: the file is not readable"):
        bring_in(shop, MAPPING.replace("orders/*.csv", "orders.parquet"))


def test_a_wrong_encoding_is_named(shop: Path) -> None:
    (shop / "items.csv").write_bytes(ITEMS.replace("Green tea", "Grüner Tee").encode("latin-1"))
    with pytest.raises(DataRejected, match="encoding: latin-1"):
        bring_in(shop)
    dataset = bring_in(shop, MAPPING.replace("files: items.csv", "files: items.csv\n    encoding: latin-1"))
    assert "Grüner Tee" in pl.read_parquet(dataset.table("items"))["title"].to_list()


def test_no_events_is_refused(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text(ORDERS.splitlines()[0] + "\n")
    with pytest.raises(DataRejected, match="there are no good events"):
        bring_in(shop)


def test_prices_in_two_currencies_are_refused(shop: Path) -> None:
    text = (shop / "orders" / "2026-03.csv").read_text().splitlines()
    (shop / "orders" / "2026-03.csv").write_text("\n".join([text[0] + ",cur", text[1] + ",EUR", text[2] + ",USD", text[3] + ",EUR"]) + "\n")
    with pytest.raises(DataRejected, match=r"more than one currency.*EUR.*USD"):
        bring_in(shop, MAPPING.replace("user_id: customer", "user_id: customer, currency: cur"))


def test_decimal_commas_semicolons_own_formats_and_value_names_are_read(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text("order;when;sku;qty;price;kind\n1;01.03.2026 09:00;A1;1;1.234,50;Kauf\n")
    mapping = MAPPING.replace(", user_id: customer", ", event_type: kind").replace("event_type: purchase, ", "") + (
        '    delimiter: ";"\n    decimal_comma: true\n    time_format: "%d.%m.%Y %H:%M"\n    values: {event_type: {Kauf: purchase}}\n'
    )
    event = pl.read_parquet(bring_in(shop, mapping).table("events")).to_dicts()[0]
    assert event["unit_price"] == 1234.5
    assert event["event_type"] == "purchase"
    assert str(event["occurred_at"]) == "2026-03-01 08:00:00+00:00"


def test_attributes_are_kept_as_a_json_object(shop: Path) -> None:
    (shop / "items.csv").write_text('sku,name,group,price,colour,size\nA1,Tea,Food,1,"dark ""green""",\nA2,Mug,,2,,L\n')
    dataset = bring_in(shop, MAPPING.replace("    columns: {item_id: sku", "    attributes: [colour, size]\n    columns: {item_id: sku"))
    items = pl.read_parquet(dataset.table("items"))
    assert [json.loads(text) for text in items["attributes"]] == [{"colour": 'dark "green"'}, {"size": "L"}]
    assert items["category_path"].to_list() == [["Food"], []]


def test_views_and_purchases_may_lie_in_files_of_their_own(shop: Path) -> None:
    (shop / "views.csv").write_text("visit,at,sku\nv1,2026-03-01 08:00,A1\nv1,2026-03-01 08:01,A2\n")
    views = "{files: views.csv, columns: {session_id: visit, occurred_at: at, item_id: sku}, constants: {event_type: product_view}}"
    start, lines = MAPPING.split("  events:\n")
    purchases = "    - " + "\n      ".join(line.removeprefix("    ") for line in lines.strip("\n").splitlines()).lstrip()
    dataset = bring_in(shop, f"{start}  events:\n{purchases}\n    - {views}\n")
    kinds = pl.read_parquet(dataset.table("events"))["event_type"].value_counts().rows()
    assert sorted(kinds) == [("product_view", 2), ("purchase", 3)]


def test_two_mappings_of_one_file_give_events_of_their_own(shop: Path) -> None:
    (shop / "log.csv").write_text("visit,at,sku,bought_at\nv1,2026-03-01 08:00,A1,2026-03-01 08:05\n")
    part = "{{files: log.csv, columns: {{session_id: visit, occurred_at: {}, item_id: sku}}, constants: {{event_type: {}}}}}"
    both = f"  events:\n    - {part.format('at', 'product_view')}\n    - {part.format('bought_at', 'add_to_cart')}\n"
    dataset = bring_in(shop, MAPPING.split("  events:\n", maxsplit=1)[0] + both)
    assert dataset.rows["events"] == 2


def test_a_wrong_column_of_a_second_mapping_is_named_with_its_place(shop: Path) -> None:
    part = "{files: orders/*.csv, columns: {session_id: order, occurred_at: when, item_id: %s}, constants: {event_type: product_view}}"
    with pytest.raises(InvalidInput, match=r"tables\.events\.1: the column nothing is not in orders"):
        bring_in(shop, MAPPING.split("  events:\n", maxsplit=1)[0] + f"  events:\n    - {part % 'sku'}\n    - {part % 'nothing'}\n")


def test_a_quote_that_is_never_closed_refuses_the_table_with_the_first_lost_row(shop: Path) -> None:
    lines = [f"A{number},Tea,Food,1" for number in range(500)]
    lines[250] = 'A250,"Tea,Food,1'
    (shop / "items.csv").write_text("sku,name,group,price\n" + "\n".join(lines) + "\n")
    with pytest.raises(
        DataRejected, match=r"items: 250 of 500 rows \(50\.00%\) are bad.*lost with row 251: a quote is opened .*\(250 rows\)"
    ):
        bring_in(shop, share=0.01)
    assert bring_in(shop, MAPPING.replace("files: items.csv", "files: items.csv\n    quote: none")).rows["items"] == 500


def test_milliseconds_read_as_seconds_are_refused_with_the_year(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text("order,when,sku,qty,price,customer\n1,1772352000123,A1,1,1,a\n")
    with pytest.raises(DataRejected, match=r"occurred_at: is in the year 58133, not between 1990-01-01 and .*is its epoch_unit right\?"):
        bring_in(shop, MAPPING + "    epoch_unit: s\n", share=0.0)
    assert bring_in(shop, MAPPING + "    epoch_unit: ms\n").rows["events"] == 1


def test_what_is_plausible_can_be_set_for_the_file_and_by_the_clock(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text("order,when,sku,qty,price,customer\n1,1889-03-01 08:00,A1,1,1,a\n")
    with pytest.raises(DataRejected, match="is in the year 1889"):
        bring_in(shop, share=0.0)
    assert bring_in(shop, "earliest: 1880-01-01\n" + MAPPING).rows["events"] == 1
    (shop / "orders" / "2026-03.csv").write_text(ORDERS)
    import_folder(shop, shop.parent / "mapping.yaml", shop.parent / "early", 0.5, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(DataRejected, match="is in the year 2026, not between 1880-01-01 and 2026-02-28"):
        import_folder(shop, shop.parent / "mapping.yaml", shop.parent / "x", 0.5, clock=lambda: datetime(2026, 2, 28, tzinfo=UTC))


def test_json_lines_and_archives_import_like_other_files(shop: Path) -> None:
    lines = [{"order": {"id": 1}, "when": "2026-03-01T09:00:00Z", "sku": "A1", "qty": 2, "price": 3.5, "customer": 17850.0}]
    with ZipFile(shop / "orders.zip", "w") as archive:
        archive.writestr("orders.jsonl", "\n".join(json.dumps(line) for line in lines))
    mapping = MAPPING.replace("orders/*.csv", "orders.zip").replace("session_id: order,", "session_id: order.id,")
    [event] = pl.read_parquet(bring_in(shop, mapping.replace("[order, sku]", "[order.id, sku]")).table("events")).to_dicts()
    assert (event["session_id"], event["user_id"], event["quantity"], event["unit_price"]) == ("1", "17850", 2.0, 3.5)


def test_a_lines_total_is_divided_by_its_quantity(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text(
        "order,when,sku,qty,total,customer\n1,2026-03-01 09:00,A1,4,14.00,a\n2,2026-03-01 09:00,A1,0,5,a\n"
    )
    dataset = bring_in(shop, MAPPING.replace(", unit_price: price", "") + "    line_total: total\n")
    assert pl.read_parquet(dataset.table("events"))["unit_price"].to_list() == [3.5]
    assert {line["column"] for line in rejected(shop)} == {"quantity"}


def test_only_rows_that_fulfil_the_condition_are_imported_and_keep_their_numbers(shop: Path) -> None:
    add_order(shop, "3,2026-03-03 10:00,A1,0,1,bob")
    add_order(shop, "C4,2026-03-03 10:00,A9,-1,1,bob")
    dataset = bring_in(shop, MAPPING + "    where: order not like 'C%'\n")
    assert (dataset.rows["events"], dataset.rejected["events"]) == (3, 1)
    assert [line["row_number"] for line in rejected(shop)] == [4]
    assert bring_in(shop, MAPPING + "    where: qty > 0\n").rejected["events"] == 0


def test_a_condition_on_a_column_that_is_not_there_names_the_place(shop: Path) -> None:
    with pytest.raises(InvalidInput, match=r"tables\.events\.where: unknown column; got 'ordr'; did you mean `order`\?"):
        bring_in(shop, MAPPING + "    where: ordr = '1'\n")


def test_a_change_in_a_file_that_is_looked_up_makes_the_dataset_anew(shop: Path) -> None:
    (shop / "names.csv").write_text("sku,label\nA1,Sencha\nA2,\n")
    mapping = MAPPING.replace("title: name", "title: {from: label, else: name}").replace(
        "files: items.csv", "files: items.csv\n    lookup: {files: names.csv, on: sku, columns: [label]}"
    )
    assert pl.read_parquet(bring_in(shop, mapping).table("items"))["title"].to_list() == ["Sencha", "Mug"]
    (shop / "names.csv").write_text("sku,label\nA1,Gyokuro\n")
    assert pl.read_parquet(bring_in(shop, mapping).table("items"))["title"].to_list() == ["Gyokuro", "Mug"]


RETURNS = """customer,order,when,sku,qty,price
ann,1,2026-03-01 09:00,A1,3,3.50
ann,1,2026-03-01 09:00,A2,1,8.00
ann,C2,2026-03-03 09:00,A1,-2,3.50
bob,C3,2026-03-03 09:00,A2,-1,-8.00
,C4,2026-03-03 09:00,A2,1,0
"""


@pytest.mark.parametrize("rule", ["{quantity_below: 0, column: order, starts_with: C}", "{column: order, starts_with: C}"])
def test_returns_among_the_orders_are_no_bad_rows(shop: Path, rule: str) -> None:
    (shop / "orders" / "2026-03.csv").write_text(RETURNS)
    dataset = bring_in(shop, MAPPING + f"    returns: {rule}\n", share=0.0)
    assert (dataset.rejected["events"], dataset.returns, dataset.unmatched_returns) == (0, 3, 2)
    assert open_dataset(dataset.path) == dataset
    returns = pl.read_parquet(dataset.table("events")).filter(pl.col("event_type") == "return")
    assert returns.select("session_id", "quantity", "unit_price").rows() == [("C2", 2.0, 3.5), ("C3", 1.0, 8.0), ("C4", 1.0, 0.0)]


def test_a_negative_quantity_is_a_bad_row_unless_it_is_said_to_be_a_return(shop: Path) -> None:
    add_order(shop, "3,2026-03-03 10:00,A1,-1,3.50,ann")
    assert bring_in(shop).rejected["events"] == 1
    dataset = bring_in(shop, MAPPING + "    returns: {quantity_below: 0}\n")
    assert (dataset.rejected["events"], dataset.returns, dataset.unmatched_returns) == (0, 1, 0)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{}", "give quantity_below"),
        ("{column: order}", "column and starts_with belong together"),
        ("{column: invoice, starts_with: C}", "the column invoice is not in orders"),
        ("{sign: minus}", "Extra inputs"),
    ],
)
def test_a_wrong_rule_of_returns_is_named(shop: Path, rule: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        bring_in(shop, MAPPING + f"    returns: {rule}\n")


def test_kinds_of_events_are_mapped_to_returns_and_ratings(shop: Path) -> None:
    (shop / "orders" / "2026-03.csv").write_text(
        "order,when,sku,qty,price,customer,kind,of,stars\n1,2026-03-01 09:00,A1,1,3.50,ann,sale,,\n"
        "2,2026-03-02 09:00,A1,,,ann,refund,1,\n3,2026-03-02 10:00,A2,,,ann,review,,4.5\n4,2026-03-02 11:00,A2,,,ann,review,,\n"
    )
    mapping = MAPPING.replace("user_id: customer}", "user_id: customer, event_type: kind, order_id: of, rating: stars}")
    mapping = mapping.replace("event_type: purchase, ", "") + "    values: {event_type: {sale: purchase, refund: return, review: rating}}\n"
    dataset = bring_in(shop, mapping)
    assert (dataset.rows["events"], dataset.returns, dataset.unmatched_returns) == (3, 1, 0)
    assert [(row["column"], row["reason"]) for row in rejected(shop)] == [("rating", "missing; a rating event needs it")]
