"""`endcap items update`."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from endcap.catalogue.changes.waiting_items import WAITING_FILE, WAITING_SCHEMA, WaitingItems
from endcap.catalogue.item_updates import UPDATES_FILE, read_updates, write_updates
from endcap.cli.items import app
from endcap.core.errors import DataRejected, InvalidInput
from endcap.release.bundle.manifest import Bundle

AT = datetime(2026, 11, 27, 8, tzinfo=UTC)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file of the updates comes to be."""
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENDCAP_COLLECTOR__PORT", "1")  # where none answers
    return tmp_path / "home" / "live" / UPDATES_FILE


def run(*arguments: str | Path, stdin: str | bytes | None = None) -> Any:
    result = CliRunner().invoke(app, ["update", *map(str, arguments)], input=stdin, catch_exceptions=False)
    assert result.exit_code == 0
    return result


def updated(*arguments: str | Path, stdin: str | bytes | None = None) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run(*arguments, "--json", stdin=stdin).stdout)
    return report


def values(live: Path) -> list[tuple[str, float | None, str | None]]:
    return list(read_updates(live).select("item_id", "price", "availability").sort("item_id", "price", nulls_last=True).iter_rows())


def test_a_file_becomes_the_live_file(live: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("item_id,price,availability\na,2.5,\nb,,out_of_stock\n")
    report = updated(tmp_path / "prices.csv")
    assert report == {"rows": 2, "good": 2, "bad": 0, "items": 2, "file": str(live), "bad_rows": []}
    assert values(live) == [("a", 2.5, None), ("b", None, "out_of_stock")]


@pytest.mark.parametrize("text", ["item_id,price\na,2\n", '{"item_id": "a", "price": 2}\n'])
def test_standard_input_is_told_by_its_first_bytes(live: Path, text: str) -> None:
    updated("-", stdin=text)
    assert values(live) == [("a", 2.0, None)]


def test_a_later_file_joins_the_earlier_one_and_its_rows_win(live: Path) -> None:
    updated("-", stdin="item_id,price\na,2\nb,3\n")
    report = updated("-", stdin="item_id,price,availability\na,4,\nb,,out_of_stock\n")
    assert report["items"] == 2
    assert values(live) == [("a", 4.0, None), ("b", 3.0, None), ("b", None, "out_of_stock")]


def test_an_older_moment_does_not_win(live: Path) -> None:
    updated("-", "--at", "2026-11-27T08:00:00Z", stdin="item_id,price\na,2\n")
    updated("-", "--at", "2026-11-26T08:00:00Z", stdin="item_id,price\na,9\n")
    assert values(live) == [("a", 2.0, None)]
    assert read_updates(live)["updated_at"].to_list() == [AT]


def test_replace_forgets_what_was_there_even_a_broken_file(live: Path) -> None:
    updated("-", stdin="item_id,price\na,2\n")
    live.write_bytes(b"broken")
    with pytest.raises(DataRejected, match="endcap items update --replace"):
        run("-", stdin="item_id,price\nb,2\n")
    updated("-", "--replace", stdin="item_id,price\nb,2\n")
    assert values(live) == [("b", 2.0, None)]
    assert updated("-", "--replace", stdin="item_id,price\n")["items"] == 0
    assert values(live) == []


def test_a_bad_row_is_told_and_left_out_and_too_many_change_nothing(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "item_id,price\na,2\nb,cheap\nc,3\n"
    updated("-", stdin="item_id,price\nz,1\n")
    result = CliRunner().invoke(app, ["update", "-"], input=bad)
    assert isinstance(result.exception, DataRejected)
    assert result.exception.exit_code == 3
    assert "1 of 3 rows (33.33%) are bad, more than the 1.00% allowed; nothing was changed" in str(result.exception)
    assert result.stderr.startswith("line 3: price: Input should be a valid number")
    assert values(live) == [("z", 1.0, None)]
    monkeypatch.setenv("ENDCAP_DATA__MAX_REJECTED_SHARE", "0.5")
    report = updated("-", stdin=bad)
    assert (report["good"], report["bad"], [row["line"] for row in report["bad_rows"]]) == (2, 1, [3])
    assert values(live) == [("a", 2.0, None), ("c", 3.0, None), ("z", 1.0, None)]


def test_an_empty_file_changes_nothing(live: Path) -> None:
    assert updated("-", stdin="")["rows"] == 0
    assert not live.exists()
    updated("-", stdin="item_id,price\nz,1\n")
    assert updated("-", stdin="item_id,price\n")["items"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere.csv"], "FILE: cannot be read"), (["-", "--format", "xlsx"], "no such format"), (["-", "--at", "noon"], "--at")],
)
def test_an_option_that_cannot_be_is_refused(live: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run(*arguments, stdin="item_id\n")


def test_the_summary_says_what_the_promoted_bundle_will_not_take_up(live: Path, make_bundle: Callable[..., Bundle]) -> None:
    made = make_bundle(1, folder=live.parents[1] / "served" / "endcap")
    text = "item_id,price,updated_at\ni00001,2,2026-11-27T08:00:00Z\nstranger,2,2026-11-27T08:00:00Z\ni00002,2,2017-06-01T00:00:00Z\n"
    report = updated("-", stdin=text)
    assert (report["bundle"], report["unknown_items"], report["outdated"]) == (made.manifest.name, 1, 1)
    shown = run("-", stdin=text).stdout
    assert "3 rows: 3 taken up, 0 bad." in shown
    assert "1 rows are of items that endcap-1 does not know." in shown
    assert "1 rows are from before the end of endcap-1's data, 2018-01-01T00:00:00Z" in shown


def test_a_damaged_bundle_does_not_keep_prices_back(live: Path, make_bundle: Callable[..., Bundle]) -> None:
    made = make_bundle(1, folder=live.parents[1] / "served" / "endcap")
    (made.path / "bundle.json").write_text("{}")
    assert "cannot be read" in updated("-", stdin="item_id,price\na,2\n")["bundle"]
    assert values(live) == [("a", 2.0, None)]


def test_files_of_before_are_read(live: Path) -> None:
    write_updates(live, pl.DataFrame({"item_id": ["a"], "price": [2], "updated_at": [AT]}))
    updated("-", stdin="item_id,price\nb,2\n")
    assert [item for item, _, _ in values(live)] == ["a", "b"]


def test_updates_at_the_same_time_lose_nothing(live: Path, tmp_path: Path) -> None:
    from endcap.cli.items import update

    files = [tmp_path / f"{number}.csv" for number in range(6)]
    for number, file in enumerate(files):
        file.write_text(f"item_id,price\ni{number},1\n")
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda file: update(str(file), replace=False, form=None, at=None, to=None, key=None, as_json=True), files))
    assert [item for item, _, _ in values(live)] == [f"i{number}" for number in range(6)]


def test_items_that_wait_are_listed(live: Path) -> None:
    assert CliRunner().invoke(app, ["waiting"], catch_exceptions=False).stdout == "no item waits for the next training\n"
    cup = {"item_id": "cup", "title": "Cup", "category_path": ["Kitchen"], "price": 7.5}
    rows = pl.DataFrame([{"item_id": "cup", "updated_at": AT, "item": json.dumps(cup)}], schema=WAITING_SCHEMA)
    WaitingItems(live.parent / WAITING_FILE).join(rows, pl.Series([], dtype=pl.String))
    shown = CliRunner().invoke(app, ["waiting"], catch_exceptions=False).stdout
    assert "cup" in shown and "Kitchen" in shown
    listed = json.loads(CliRunner().invoke(app, ["waiting", "--json"], catch_exceptions=False).stdout)
    assert listed["waiting"] == 1
    assert {name: listed["items"][0][name] for name in cup} == cup
