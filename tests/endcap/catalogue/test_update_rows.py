import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import merged_updates, update_schema
from endcap.catalogue.update_rows import BadRow, Format, format_of, judged_rows
from endcap.catalogue.updated_items import apply_updates
from endcap.contracts.item_update import ItemUpdate
from endcap.core.errors import DataRejected
from tests.properties import examples

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def judged(text: str | bytes, form: Format = "csv") -> tuple[list[dict[str, Any]], list[BadRow]]:
    """Good rows without what is empty, and the bad ones."""
    rows = judged_rows(text.encode() if isinstance(text, str) else text, "it", form, NOW)
    assert rows.good.schema == update_schema()
    return [{name: value for name, value in row.items() if value is not None} for row in rows.good.to_dicts()], list(rows.bad)


def test_a_csv_file_gives_its_rows_and_leaves_empty_cells_alone() -> None:
    good, bad = judged("item_id,price,availability\na, 2.50,in_stock\n\nb,,out_of_stock\n")
    assert good == [
        {"item_id": "a", "updated_at": NOW, "price": 2.5, "availability": "in_stock"},
        {"item_id": "b", "updated_at": NOW, "availability": "out_of_stock"},
    ]
    assert not bad


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_line_ends_and_a_byte_order_mark_do_not_matter(separator: str, end: str) -> None:
    lines = [["price", "item_id", "updated_at"], ["1", "a b", "2026-11-27T07:00:00Z"]]
    good, bad = judged(("\ufeff" + end.join(separator.join(line) for line in lines)).encode())
    assert (good, bad) == ([{"item_id": "a b", "updated_at": NOW - timedelta(hours=1), "price": 1.0}], [])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,-1,", "price: Input should be greater than or equal to 0, got '-1'"),
        ('a,"2,50",', "price: Input should be a valid number"),
        ("a,nan,", "price: Input should be a finite number"),
        ("a,1,sold", "availability: Input should be"),
        (",1,", "item_id: Field required"),
        (f"{'x' * 129},1,", "item_id: String should have at most 128 characters"),
        ("a,1", "has 2 values; the header has 3"),
        ("a,1,in_stock,", "has 4 values; the header has 3"),
    ],
)
def test_a_bad_row_is_one_sentence_with_its_line(row: str, reason: str) -> None:
    good, bad = judged(f'item_id,price,availability\n"b\n",1,\n{row}\nc,2,\n')
    assert [each["item_id"] for each in good] == ["b", "c"]
    [found] = bad
    assert found.line == 4
    assert found.reason.startswith(reason)


def test_a_quote_that_is_never_closed_loses_every_line_after_it_and_all_are_counted() -> None:
    good, bad = judged('item_id,price\na,1\nb,"2\nc,3\nd,4\n')
    assert [row["item_id"] for row in good] == ["a"]
    assert [row.line for row in bad] == [3, 4, 5]
    assert all("from line 3 on" in row.reason for row in bad)


def test_times_that_are_not_utc_are_bad_rows() -> None:
    _, bad = judged("item_id,updated_at\na,2026-11-27T08:00:00\nb,2026-11-27T08:00:00+01:00\n")
    assert ["no zone" in bad[0].reason, "not in UTC" in bad[1].reason] == [True, True]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("item_id,prize", "unknown column; got 'prize'; did you mean price?"),
        ("item_id,colour", "unknown column; got 'colour'; columns are item_id"),
        ("item_id,price,price", "a column stands twice"),
        ("price,availability", "the header has no item_id"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file(header: str, said: str) -> None:
    with pytest.raises(DataRejected, match="it: ") as refused:
        judged(f"{header}\na,1\n")
    assert said in str(refused.value)


def test_json_lines_are_strict() -> None:
    lines = [
        '{"item_id": "a", "price": 2, "updated_at": null}',
        '{"item_id": "b", "price": "2"}',
        '{"item_id": "b", "price": true}',
        '{"item_id": "b", "price": NaN}',
        '{"item_id": "b", "price": 1, "price": 2}',
        '{"item_id": "b", "colour": "red"}',
        "[1]",
        "{",
        "",
        '{"item_id": "c", "availability": "discontinued"}',
    ]
    good, bad = judged("\n".join(lines), "jsonl")
    assert [(row["item_id"], row["updated_at"]) for row in good] == [("a", NOW), ("c", NOW)]
    assert [row.line for row in bad] == [2, 3, 4, 5, 6, 7, 8]
    assert [bad[3].reason, bad[5].reason] == ["a key stands twice", "is no JSON object"]
    assert bad[6].reason.startswith("is no JSON object (")


def test_a_parquet_file_is_judged_by_the_same_contract() -> None:
    content = BytesIO()
    pl.DataFrame({"item_id": ["a", None, "c"], "price": [1, 2, -3]}).write_parquet(content)
    good, bad = judged(content.getvalue(), "parquet")
    assert good == [{"item_id": "a", "updated_at": NOW, "price": 1.0}]
    assert bad == [BadRow(2, "item_id: missing"), BadRow(3, "price: must be 0 or more")]


def test_the_format_is_told_by_the_name_or_the_first_bytes() -> None:
    assert [format_of(name, b"{") for name in ("a.CSV", "a.jsonl", "a.parquet", "-")] == ["csv", "jsonl", "parquet", "jsonl"]
    assert [format_of("standard input", content) for content in (b"PAR1..", b"\xef\xbb\xbf\n {}", b"[", b"item_id", b"")] == [
        "parquet",
        "jsonl",
        "jsonl",
        "csv",
        "csv",
    ]


def test_an_array_of_rows_is_refused_with_what_to_do() -> None:
    with pytest.raises(DataRejected, match="is one JSON array; write JSON lines"):
        judged('\n[{"item_id": "a"},\n {"item_id": "b"}]', "jsonl")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DataRejected, match="is not UTF-8"):
        judged(b"item_id,price\n\xff\xfe,1\n")


number = st.none() | st.floats(0, 1, width=32).map(lambda value: round(value, 3))
a_row = st.fixed_dictionaries(
    {
        "item_id": st.sampled_from(["a", "b", "c"]),
        "updated_at": st.integers(0, 3).map(lambda hours: NOW + timedelta(hours=hours)),
        "price": number,
        "availability": st.sampled_from([None, "in_stock", "out_of_stock"]),
        "margin": number,
        "display_share": number,
        "mailer_share": number,
        "purchases_7d": number,
        "trend": number,
    }
)


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=update_schema())


@given(st.lists(a_row, max_size=8), st.lists(a_row, max_size=8))
@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merged_rows_make_the_same_catalogue_as_all_rows_one_after_the_other(catalogue: ItemTable, earlier, later) -> None:
    merged = merged_updates(table(earlier), table(later))
    one, _ = apply_updates(catalogue, table([*earlier, *later]))
    other, _ = apply_updates(catalogue, merged)
    for name in ("price", "margin", "available", "numeric"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    values = [name for name in update_schema() if name not in ("item_id", "updated_at")]
    assert all(merged.group_by("item_id").agg(pl.col(name).count()).select(name).max().item() in (None, 0, 1) for name in values)
    since, _ = apply_updates(catalogue, table([*earlier, *later]), newer_than=NOW + timedelta(hours=1))
    of_merged, _ = apply_updates(catalogue, merged, newer_than=NOW + timedelta(hours=1))
    for name in ("price", "margin", "available"):
        assert getattr(since, name).tobytes() == getattr(of_merged, name).tobytes(), name


def test_an_old_value_keeps_its_moment_beside_a_new_one() -> None:
    next_day = NOW + timedelta(days=1)
    earlier = table([{"item_id": "a", "updated_at": NOW, "price": 2.0}])
    later = table([{"item_id": "a", "updated_at": next_day, "margin": 0.1}])
    assert merged_updates(earlier, later).select("updated_at", "price", "margin").rows() == [(NOW, 2.0, None), (next_day, None, 0.1)]


def test_the_later_row_wins_and_a_bad_one_of_before_goes() -> None:
    earlier = table([{"item_id": "a", "updated_at": NOW, "price": 2.0}, {"item_id": "b", "updated_at": NOW, "price": -1.0}])
    later = table([{"item_id": "a", "updated_at": NOW, "price": 3.0}])
    assert merged_updates(earlier, later).select("item_id", "price").rows() == [("a", 3.0)]


@given(st.lists(a_row, max_size=6))
@examples(60)
def test_a_good_row_survives_csv_and_json(rows) -> None:
    frame = table(rows)
    as_csv = frame.with_columns(pl.col("updated_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv()
    as_json = "\n".join(json.dumps({**row, "updated_at": row["updated_at"].isoformat()}) for row in frame.to_dicts())
    for text, form in ((as_csv, "csv"), (as_json, "jsonl")):
        found = judged_rows(text.encode(), "it", form, NOW)
        assert not found.bad
        assert found.good.equals(frame)


def test_the_page_names_every_column() -> None:
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.partition("## Live price and stock")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in section for name in ItemUpdate.model_fields)
    good, bad = judged(section.partition("```csv\n")[2].partition("```")[0])
    assert (len(good), bad) == (2, [])
