"""Source columns become canonical columns, and what cannot be read becomes a problem of its row."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import polars as pl
import pytest

from endcap.dataset.sources.columns.moments import PlausibleTimes
from endcap.dataset.sources.conversion import Converter
from endcap.dataset.sources.table_mapping import TableMapping, check_table

NOW = datetime(2026, 11, 29, tzinfo=UTC)
EVENT = {"session_id": "s", "occurred_at": "t", "item_id": "i"}


def convert(table: str, source: dict[str, list[Any]], **mapped: Any) -> tuple[list[dict], list[tuple]]:
    mapping = TableMapping.model_validate({"files": "x", "time_zone": "UTC", **mapped})
    check_table(table, mapping)
    raw = pl.DataFrame(source)
    names = pl.Series([f"x#{number}" for number in range(len(raw))], dtype=pl.String)
    rows, problems = Converter(table, mapping, None, PlausibleTimes.of(mapping, NOW)).convert(raw, names)
    return rows.to_dicts(), problems.rows()


def events(extra: dict[str, list[Any]], **mapped: Any) -> tuple[list[dict], list[tuple]]:
    count = len(next(iter(extra.values())))
    columns = {"s": ["1"] * count, "t": ["2026-03-01"] * count, "i": ["A"] * count, **extra}
    mapped["columns"] = {**EVENT, **mapped.get("columns", {})}
    mapped.setdefault("constants", {})
    if "event_type" not in mapped["columns"]:
        mapped["constants"] = {"event_type": "purchase", **mapped["constants"]}
    return convert("events", columns, **mapped)


def test_nobody_becomes_a_customer() -> None:
    rows, problems = events({"u": ["NULL", "nan", "None", "-1", "\\N", "  ", None, " ann "]}, columns={"user_id": "u"})
    assert [row["user_id"] for row in rows] == [None] * 7 + ["ann"]
    assert not problems


@pytest.mark.parametrize("ids", [["17850.0", "17850", " 17850"], [17850.0, 17850.0, None]])
def test_a_customer_is_one_however_the_id_is_written(ids: list[Any]) -> None:
    rows, _ = events({"u": ids}, columns={"user_id": "u"})
    assert {row["user_id"] for row in rows} <= {"17850", None}


def test_words_for_no_number_are_no_fault() -> None:
    rows, problems = events({"q": ["NA", "1", "x", "1.50"]}, columns={"quantity": "q"})
    assert [row["quantity"] for row in rows] == [None, 1, None, 1.5]
    assert problems == [(2, "quantity", "is not a number")]


def test_decimals_are_never_taken_for_thousands() -> None:
    rows, problems = events({"p": ["12,50", "12.50", "1.234,5", "1.234"]}, columns={"unit_price": "p"}, decimal_comma=True)
    assert [row["unit_price"] for row in rows] == [12.5, None, 1234.5, 1234]
    assert problems == [(1, "unit_price", "is not a number")]


def test_whole_numbers_are_read_with_their_separators() -> None:
    rows, problems = events({"d": ["1,500", "7.0", "1.5"]}, columns={"dwell_ms": "d"}, thousands=",")
    assert [row["dwell_ms"] for row in rows] == [1500, 7, None]
    assert problems == [(2, "dwell_ms", "is not a whole number")]


def test_a_problem_says_the_year_of_its_own_row() -> None:
    rows, problems = events({"t": ["1772352000", "1772352000123", "4070908800"]}, epoch_unit="s")
    assert rows[0]["occurred_at"] == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert [(place, column, reason.split(",")[0]) for place, column, reason in problems] == [
        (1, "occurred_at", "is in the year 58133"),
        (2, "occurred_at", "is in the year 2099"),
    ]


def test_days_without_a_time_of_their_own_may_be_far_away() -> None:
    columns = {"i": ["A"], "from": ["2026-03-01"], "to": ["2099-12-31"]}
    rows, problems = convert("promotions", columns, columns={"item_id": "i", "starts_at": "from", "ends_at": "to"})
    assert rows[0]["ends_at"].year == 2099
    assert not problems


def test_constants_have_the_type_of_their_column() -> None:
    constants = {"quantity": 2, "channel": 7, "consent": False, "received_at": "2026-03-02T08:00:00Z", "schema_version": 1}
    [row], _ = events({"s": ["1"]}, constants=constants)
    assert (row["quantity"], row["channel"], row["consent"], row["schema_version"]) == (2.0, "7", False, 1)
    assert row["received_at"] == datetime(2026, 3, 2, 8, tzinfo=UTC)
    [item], _ = convert("items", {"i": ["A"]}, columns={"item_id": "i"}, constants={"category_path": ["Food", "Tea"]})
    assert item["category_path"] == ["Food", "Tea"]


@pytest.mark.parametrize(
    ("date", "second", "options", "moment"),
    [
        ("2026-03-01", "09:30", {}, datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01", "9", {}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01 09:30:00", "+02:00", {}, datetime(2026, 3, 1, 7, 30, tzinfo=UTC)),
        ("01.03.26", "0930", {"time_format": "%d.%m.%y %H%M"}, datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("01.03.26", "9", {"time_format": "%d.%m.%y %H"}, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("1.3.2026 9:30", "-0500", {"time_format": "%d.%m.%Y %H:%M %z"}, datetime(2026, 3, 1, 14, 30, tzinfo=UTC)),
        (datetime(2026, 3, 1).date(), 9, {}, datetime(2026, 3, 1, 9, tzinfo=UTC)),  # noqa: DTZ001
        ("2026-03-01", "NULL", {}, None),
    ],
)
def test_two_columns_make_one_moment(date: Any, second: Any, options: dict[str, Any], moment: datetime | None) -> None:
    rows, problems = events({"d": [date], "h": [second]}, columns={"occurred_at": ["d", "h"]}, **options)
    assert [row["occurred_at"] for row in rows] == [moment]
    assert not problems


def test_a_category_path_may_come_from_several_columns() -> None:
    columns = {"i": ["A", "B", "C"], "d": ["Food", "Food > Drinks", None], "a": ["Tea", "NULL", ""]}
    rows, _ = convert("items", columns, columns={"item_id": "i", "category_path": ["d", "a"]})
    assert [row["category_path"] for row in rows] == [["Food", "Tea"], ["Food", "Drinks"], []]


def test_what_is_too_long_is_cut_where_the_mapping_says_so() -> None:
    columns = {"i": ["A"], "t": ["x" * 600], "c": [" > ".join("abcdefghij")]}
    cut = {"title": {"from": "t", "cut": 512}, "category_path": {"from": "c", "cut": 8}}
    [row], problems = convert("items", columns, columns={"item_id": "i", **cut})
    assert (len(row["title"]), row["category_path"], problems) == (512, list("abcdefgh"), [])


def test_another_column_or_a_constant_takes_the_place_of_nothing() -> None:
    columns = {"i": ["A", "B", "C"], "t": ["Tea", None, ""], "o": ["x", "Mug", "NULL"], "n": [1, 2, None]}
    title = {"from": "t", "else": "o", "default": "No name"}
    rows, _ = convert("items", columns, columns={"item_id": "i", "title": title, "brand": {"from": "t", "else": "n"}})
    assert [row["title"] for row in rows] == ["Tea", "Mug", "No name"]
    assert [row["brand"] for row in rows] == ["Tea", "2", None]


def test_an_item_without_a_title_is_called_by_its_id() -> None:
    rows, _ = convert("items", {"i": ["A", "B"], "t": ["Tea", " "]}, columns={"item_id": "i", "title": "t"})
    assert [row["title"] for row in rows] == ["Tea", "B"]
    assert convert("items", {"i": ["A"]}, columns={"item_id": "i"})[0][0]["title"] == "A"


def test_attributes_leave_out_what_stands_for_nothing_and_join_lists() -> None:
    columns = {"i": ["A"], "c": ["NULL"], "s": [' "L" '], "f": [["wool", "soft"]]}
    [row], _ = convert("items", columns, columns={"item_id": "i"}, attributes=["c", "s", "f"])
    assert json.loads(row["attributes"]) == {"s": '"L"', "f": "wool soft"}


def test_values_are_renamed_and_may_become_nothing() -> None:
    kinds = {"Kauf": "purchase", "1": "product_view"}
    rows, _ = events({"k": ["Kauf", "1", " 1.0"], "q": [1, 1, 1]}, columns={"event_type": "k"}, values={"event_type": kinds})
    assert [row["event_type"] for row in rows] == ["purchase", "product_view", "1.0"]
    rows, _ = events({"c": ["web", "-"]}, columns={"channel": "c"}, values={"channel": {"-": None}})
    assert [row["channel"] for row in rows] == ["web", None]


def test_an_event_has_the_same_id_however_its_columns_are_written() -> None:
    first, _ = events({"n": ["7", "7.0", " 7 "]}, event_id_from=["n", "i"])
    assert len({row["event_id"] for row in first}) == 1
    given = str(uuid5(NAMESPACE_URL, "e"))
    assert events({"e": [given]}, columns={"event_id": "e"})[0][0]["event_id"] == given


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user_id": ["a", "b"]}, "columns.user_id: comes from one source column"),
        ({"user_id": {"from": "a", "cut": 3}}, "an id that is cut may be another one's"),
        ({"quantity": {"from": "a", "cut": 3}}, "only texts and category_path can be cut"),
        ({"quantity": {"from": "a", "default": "3"}}, "default: only for texts"),
        ({"user_id": {"from": "a", "default": "x"}}, "default: only for texts"),
    ],
)
def test_forms_that_a_column_cannot_have_are_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        events({"a": ["1"]}, columns=columns)


def test_a_moment_may_be_a_day_and_an_offset_from_it() -> None:
    offset = {"occurred_at": {"from": ["t", "o"], "offset_unit": "ms"}}
    rows, problems = events({"o": ["1500", "NA", "x", "90000000"]}, columns=offset, null_values=["NA"])
    assert [row["occurred_at"] for row in rows] == [
        datetime(2026, 3, 1, 0, 0, 1, 500_000, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
        None,
        datetime(2026, 3, 2, 1, tzinfo=UTC),
    ]
    assert problems == [(2, "occurred_at", "its offset is no number of ms")]


def test_an_offset_needs_a_moment_to_count_from() -> None:
    with pytest.raises(ValueError, match=r"columns\.occurred_at\.offset_unit: only for moments from two source columns or more"):
        events({"o": ["1"]}, columns={"occurred_at": {"from": ["o"], "offset_unit": "ms"}})
