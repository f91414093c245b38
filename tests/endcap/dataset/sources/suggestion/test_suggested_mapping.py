"""A suggested mapping loads, says why, and imports the files it was made from."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset
from endcap.dataset.sources.folder import import_folder
from endcap.dataset.sources.mapping import load_mapping
from endcap.dataset.sources.suggestion.suggested_mapping import suggest_mapping
from tests.endcap.dataset.public_shapes import ITEMS, PEOPLE, SHAPES

PRODUCTS = "sku;Bezeichnung;Warengruppe;Preis;Farbe\n" + "".join(
    f"T-{n};Tee {n} für alle;Food > Tea;1.2{n:02},50;grün\n" for n in range(40)
)
SALES = "Bonnr;Datum;sku;Menge;Preis;Kunde\n" + "".join(
    f"{n};{n % 28 + 1:02}.03.2026 09:{n:02};T-{n};{n % 3 + 1};3,5{n % 10};{n % 7}\n" for n in range(40)
)


def suggested(folder: Path, files: Mapping[str, str | bytes]) -> str:
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return suggest_mapping(folder)


def imported(folder: Path, text: str) -> Dataset:
    mapping = folder.parent / "mapping.yaml"
    mapping.write_text(text, encoding="utf-8")
    return import_folder(folder, mapping, folder.parent / "data", 0.0)[0]


@pytest.mark.parametrize("shape", SHAPES)
def test_public_shapes_are_imported_as_they_are_suggested(tmp_path: Path, shape: str) -> None:
    dataset = imported(tmp_path / shape, suggested(tmp_path / shape, SHAPES[shape]))
    kinds = dict(pl.read_parquet(dataset.table("events"))["event_type"].value_counts().iter_rows())
    assert dataset.rows["items"] == ITEMS
    assert kinds == EVENTS_OF[shape]


EVENTS_OF = {
    "online-retail-ii": {"purchase": 108, "return": 12},
    "retailrocket": {"product_view": 40, "add_to_cart": 40, "purchase": 40},
    "yoochoose": {"product_view": 120, "purchase": 120},
    "diginetica": {"product_view": 120, "purchase": 120},
    "otto": {"product_view": 120, "add_to_cart": 60, "purchase": 60},
    "instacart": {"purchase": 132},
    "h-and-m": {"purchase": 120},
    "movielens-1m": {"purchase": 48},
    "movielens-csv": {"purchase": 24, "product_view": 9},
    "amazon-reviews-2023": {"purchase": 48},
    "ta-feng": {"purchase": 120},
    "dunnhumby": {"purchase": 120},
    "rees46": {"product_view": 40, "add_to_cart": 40, "purchase": 40},
}


def test_names_prices_days_and_people_are_found_in_second_files(tmp_path: Path) -> None:
    grocer = imported(tmp_path / "a" / "instacart", suggested(tmp_path / "a" / "instacart", SHAPES["instacart"]))
    items, events = pl.read_parquet(grocer.table("items")), pl.read_parquet(grocer.table("events"))
    assert items["title"][0] == 'Cookies "small", 0'
    assert items["category_path"][0].to_list() == ["department 0", "aisle 0"]
    assert events["user_id"].n_unique() == PEOPLE
    assert (grocer.last_event_at - grocer.first_event_at).days == 19
    by_line = imported(tmp_path / "b" / "ta-feng", suggested(tmp_path / "b" / "ta-feng", SHAPES["ta-feng"]))
    assert set(pl.read_parquet(by_line.table("events"))["unit_price"]) == {30.0}


def test_lines_take_their_moment_and_customer_from_orders_and_items_their_category(tmp_path: Path) -> None:
    shop = {
        "lines.csv": "order_id,sku,qty,unit_price\n" + "".join(f"{n // 2},S{n % 9},{n % 3 + 1},2.5\n" for n in range(40)),
        "orders.csv": "order_id,customer_id,order_date\n" + "".join(f"{n},c{n % 5},2026-03-{n + 1:02} 09:30:00\n" for n in range(20)),
        "products.csv": "sku,name,category_id,brand_id\n" + "".join(f"S{n},Tea {n},{n % 3},{n % 2}\n" for n in range(9)),
        "categories.csv": "category_id,name\n0,Green\n1,Black\n2,Herbs\n",
        "brands.csv": "brand_id,brand\n0,Acme\n1,Best\n",
    }
    text = suggested(tmp_path / "shop", shop)
    assert "{files: orders.csv, on: order_id, columns: [order_date, customer_id]}" in text
    dataset = imported(tmp_path / "shop", text)
    item = pl.read_parquet(dataset.table("items")).row(1, named=True)
    assert (item["title"], item["category_path"], item["brand"]) == ("Tea 1", ["Black"], "Best")
    events = pl.read_parquet(dataset.table("events"))
    assert (events["user_id"].n_unique(), events["session_id"].n_unique(), str(dataset.last_event_at)[:16]) == (5, 20, "2026-03-20 09:30")


def test_a_day_and_a_time_of_day_beside_it_make_one_moment(tmp_path: Path) -> None:
    lines = "".join(f"{n},{n % 28 + 1:02}.03.2026,{n % 24}:{n:02},T-{n % 9},1\n" for n in range(40))
    text = suggested(tmp_path / "shop", {"till.csv": "receipt,date,time,sku,pieces\n" + lines})
    assert "occurred_at: [date, time]" in text
    assert str(imported(tmp_path / "shop", text).first_event_at)[:16] == "2026-03-01 00:00"


def test_words_that_are_no_type_of_events_are_left_out_and_named(tmp_path: Path) -> None:
    log = "".join(f"2026-03-01T08:00:{n:02}Z,c{n % 5},{n % 9},{('view', 'wink', 'purchase')[n % 3]}\n" for n in range(30))
    text = suggested(tmp_path / "shop", {"log.csv": "time,user,sku,event\n" + log})
    assert "where: \"event in ('purchase', 'view')\"  # GUESS: leaves out wink; or give it a type in values" in text
    assert imported(tmp_path / "shop", text).rows["events"] == 20


def test_semicolons_decimal_commas_german_names_and_dates_are_seen(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    text = suggested(folder, {"artikel.csv": PRODUCTS.encode("cp1252"), "kassen/maerz.csv": SALES, "kassen/april.csv": SALES, "x.doc": "?"})
    assert "encoding: cp1252  # the start of the file is no utf-8 text" in text
    assert 'time_format: "%d.%m.%Y %H:%M"  # all values' in text
    assert "time_zone: UTC  # GUESS: times carry no zone" in text
    assert "currency: EUR  # GUESS" in text
    assert "# Not used: x.doc: .doc is no kind of file" in text
    (folder / "kassen" / "april.csv").unlink()
    dataset = imported(folder, text.replace("[kassen/april.csv, kassen/maerz.csv]", "kassen/maerz.csv"))
    assert dataset.rows == {"items": 40, "events": 40}
    items = pl.read_parquet(dataset.table("items"))
    assert items["category_path"][0].to_list() == ["Food", "Tea"]
    assert items.filter(pl.col("item_id") == "T-7")["price"].to_list() == [1207.5]
    assert set(pl.read_parquet(dataset.table("events"))["event_type"]) == {"purchase"}


def test_a_log_of_events_gets_its_types_and_its_unit_of_time(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    log = "".join(f"{1433221332117 + n},{n % 5},{('view', 'addtocart', 'transaction')[n % 3]},{n % 9}\n" for n in range(50))
    items = "itemid,name\n" + "".join(f"{n},Thing {n}\n" for n in range(9))
    text = suggested(folder, {"events.csv": "timestamp,visitorid,event,itemid\n" + log, "items.csv": items})
    assert "epoch_unit: ms  # as ms since 1970" in text
    assert "event_type: {addtocart: add_to_cart, transaction: purchase, view: product_view}" in text
    assert "quantity: 1  # GUESS: no column says how many" in text
    assert imported(folder, text).rows == {"items": 9, "events": 50}


def test_files_without_headers_get_names_for_their_columns(tmp_path: Path) -> None:
    ratings = "".join(f"{n}::{n % 9}::5::{978300760 + n}\n" for n in range(30))
    with pytest.raises(DataRejected, match=r"no file has a moment, an item, .* write the mapping by hand"):
        suggested(tmp_path / "ml", {"table.dat": ratings})
    log = "when,who,sku\n" + "".join(f"2026-03-0{n % 9 + 1}T08:00:00Z,c{n},{n}\n" for n in range(30))
    text = suggested(tmp_path / "ml", {"log.csv": log.replace("who", "user"), "table.dat": ratings})
    assert "# Not used: table.dat" in text
    assert "time_zone" not in text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_sign_are_seen_without_a_mark(tmp_path: Path, encoding: str) -> None:
    log = "time,user,sku\n" + "".join(f"2026-03-01T08:00:{n:02}Z,c{n},{n}\n" for n in range(9))
    text = suggested(tmp_path / "shop", {"log.csv": log.encode(encoding)})
    assert f"encoding: {encoding}" in text
    assert imported(tmp_path / "shop", text).rows["events"] == 9


def test_days_and_months_that_could_be_either_are_marked(tmp_path: Path) -> None:
    log = "date,user,sku\n" + "".join(f"0{n % 9 + 1}/03/2026,c{n},{n}\n" for n in range(30))
    text = suggested(tmp_path / "shop", {"log.csv": log})
    assert "look which comes first, day or month" in text


def test_json_lines_parquet_and_awkward_names_are_written_so_that_they_load(tmp_path: Path) -> None:
    folder = tmp_path / "a shop: 1"
    lines = "".join(
        f'{{"event time": "2026-03-01T08:00:0{n}Z", "user": {{"id": "u{n}"}}, "user_id": "u{n}", "sku": "{n}"}}\n' for n in range(9)
    )
    text = suggested(folder, {"log [1].jsonl": lines})
    pl.DataFrame({"sku": [str(n) for n in range(9)], "name": ["x"] * 9, "no": [1] * 9}).write_parquet(folder / "items.parquet")
    text = suggest_mapping(folder)
    assert imported(folder, text).rows == {"items": 9, "events": 9}
    mapping = load_mapping(tmp_path / "mapping.yaml")
    assert mapping.source == "a-shop-1"
    assert mapping.tables["events"][0].columns["user_id"].columns == ["user.id"]
    assert mapping.tables["events"][0].columns["occurred_at"].columns == ["event time"]
    assert mapping.tables["items"][0].attributes == ["no"]


def test_lines_of_receipts_alone_make_items_and_returns(tmp_path: Path) -> None:
    lines = "".join(
        f"{'C' if n % 10 == 9 else ''}{536365 + n},{85123 + n % 4},WHITE LANTERN {n % 4},{-1 if n % 10 == 9 else 6},"
        f"2026-03-{n % 28 + 1:02} 08:26,2.55,{17850 + n % 3}.0,United Kingdom\n"
        for n in range(60)
    )
    text = suggested(
        tmp_path / "retail", {"lines.csv": "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n" + lines}
    )
    assert "returns: {quantity_below: 0, column: Invoice, starts_with: C}" in text
    dataset = imported(tmp_path / "retail", text)
    assert dataset.rows == {"items": 4, "events": 60}
    assert dataset.returns == 6


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="no file has a moment"):
        suggest_mapping(tmp_path)


def test_files_that_are_no_tables_are_named_and_passed_over(tmp_path: Path) -> None:
    odd: dict[str, str | bytes] = {
        "broken.csv": 'a,b\n"x\n',
        "half.csv": b"\xff\xfe\x00",
        "binary.csv": b"a\x00b,c\n1,2\n",
        "empty.csv": "",
        "blank.csv": "\n\n",
        "header.csv": "user;time;item\n",
        "one.csv": "one\n",
        "list.json": "[1]\n",
        "z.zip": "PK",
        "book.xlsx": "x",
        "p.parquet": "PAR1",
        "a.csv.gz": "no gzip",
    }
    good = 'time,session,item,price\n2026-03-01 09:00:00,1,A,"1,50 €"\n2026-03-01 09:00:00,2,B,"2,50 €"\n'
    items = "sku,name\nA,Tea\nB,Mug\n"
    text = suggested(tmp_path / "shop", {**odd, "good.csv": good, "items.csv": items})
    assert all(f"# Not used: {name}: " in text for name in odd)
    assert "# Not used: book.xlsx: is a workbook, which cannot be imported; save each of its sheets" in text
    assert "decimal_comma: true" in text
    assert 'currency_signs: ["€"]' in text
    assert "currency: EUR  # GUESS: prices have the sign €" in text
    assert imported(tmp_path / "shop", text).rows == {"items": 2, "events": 2}
