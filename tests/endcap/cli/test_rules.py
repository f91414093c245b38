"""`endcap rules`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from endcap.cli.rules import app
from endcap.core.errors import InvalidInput
from endcap.release.bundle.manifest import Bundle

ENDCAP = Path(sys.executable).parent / "endcap"
RULES = """\
version: 1
revision: 7
rules:
  - {id: no-brand-0, where: brand = 'brand 0', exclude: true}
  - {id: aisle-3, when: {surface: home}, where: "starts_with(category, 'shop > aisle 3')", boost: {factor: 100}}
  - {id: first, where: "item_id = 'i00701'", pin: {position: 1}}
  - {id: one-a-brand, cap: {most: 1, by: brand, within: 3}}
picks:
  - {id: team, items: [i00801, unknown]}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def promoted(home: Path, make_bundle: Callable[..., Bundle]) -> Bundle:
    return make_bundle(1, folder=home / "served" / "endcap")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(RULES)
    return tmp_path / "mine.yaml"


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def checked(file: Path, *arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run("check", file, "--json", *arguments))
    return report


def test_check_shows_who_came_went_and_moved_and_by_which_rule(promoted: Bundle, file: Path) -> None:
    report = checked(file, "--k", "5")
    (nobody,) = report["users"]
    listed = {place["item_id"]: place for place in nobody["list"]}
    assert nobody["user"] == "somebody unknown"
    assert listed["i00701"] == {"position": 1, "was": None, "change": "new", "item_id": "i00701", "title": "Thing 701", "rules": ["first"]}
    assert listed["i00000"]["change"] == "gone" and listed["i00000"]["rules"] == ["no-brand-0"]
    assert listed["i00003"]["position"] == 2 and listed["i00003"]["rules"] == ["aisle-3"]
    assert [place["position"] for place in nobody["list"][:5]] == [1, 2, 3, 4, 5]
    assert report["rules_version"].startswith("7-") and report["bundle"] == "endcap-1"
    assert "popular" in report["lists_from"] and "without the ranker" in report["lists_from"]
    assert any("unknown" in warning for warning in report["warnings"])


def test_check_prints_the_same_for_people(promoted: Bundle, file: Path) -> None:
    shown = run("check", file, "--k", "5")
    for part in ("Good: version 7-", "Warning: rule team", "somebody unknown", "Thing 701", "first", "gone", "Lists from item-to-item"):
        assert part in shown


def test_another_bundle_surface_and_moment_can_be_asked_for(home: Path, file: Path, make_bundle: Callable[..., Bundle]) -> None:
    make_bundle(5, folder=home / "bundles")
    report = checked(file, "--bundle", "5", "--surface", "product", "--item", "i00001", "--at", "2026-11-27T08:00:00Z")
    assert report["bundle"] == "endcap-5" and report["at"] == "2026-11-27T08:00:00+00:00"
    held = {rule["rule"]: rule["lists"] for rule in report["rules"]}
    assert held == {"no-brand-0": 1, "aisle-3": 0, "first": 1, "one-a-brand": 1}


def test_people_come_from_the_offline_features(promoted: Bundle, file: Path, home: Path, feature_tables: None) -> None:
    assert [user["user"] for user in checked(file)["users"]] == ["u0", "u1", "u2", "somebody unknown"]
    (named,) = checked(file, "--user", "u2")["users"]
    assert named["user"] == "u2" and any(place["item_id"] == "i00042" for place in named["list"])
    with pytest.raises(InvalidInput, match="no features of this user"):
        run("check", file, "--user", "nobody")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--surface", "hoem"], "no such surface"),
        (["--surface", "product"], "about items"),
        (["--surface", "product", "--item", "nothing"], "does not know this item"),
        (["--at", "tomorrow"], "--at"),
        (["--user", "u1"], "no feature tables"),
    ],
)
def test_an_option_that_cannot_be_is_refused(promoted: Bundle, file: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run("check", file, *arguments)


def test_slips_of_the_pen_are_warned_of(promoted: Bundle, file: Path) -> None:
    file.write_text(
        "version: 1\nrules:\n  - {id: a, when: {surface: hoem, segment: [age=1, age_band=99]}, where: brand = 'x', boost: {factor: 2}}"
    )
    warnings = " ".join(checked(file)["warnings"])
    for part in (
        "no surface 'hoem'; did you mean 'home'?",
        "segment 'age=1' is not written",
        "nobody is in segment 'age_band=99'",
        "no item",
    ):
        assert part in warnings


def test_check_counts_what_each_rule_matches_and_leaves(promoted: Bundle, file: Path) -> None:
    report = checked(file)
    total = report["items"]
    counts = {rule["rule"]: (rule["matches"], rule["in_stock"], rule["leaves"]) for rule in report["rules"]}
    assert report["in_stock"] == total
    assert counts["no-brand-0"] == (total // 5, total // 5, total - total // 5)
    assert counts["first"] == (1, 1, total)
    assert counts["one-a-brand"] == (total, total, 5)
    assert report["leaves_enough"]
    assert [user["left"] for user in report["users"]] == [total - total // 5]


def test_a_rule_that_leaves_nothing_is_warned_of_and_not_called_good(promoted: Bundle, file: Path) -> None:
    file.write_text("version: 1\nrules: [{id: all, where: \"brand != ''\", exclude: true}]")
    report = checked(file)
    assert not report["leaves_enough"]
    assert report["rules"][0]["leaves"] == 0
    assert any("rule all (line 2): leaves 0 of the" in warning for warning in report["warnings"])
    shown = run("check", file)
    assert shown.startswith("Leaves too few items: version")
    assert "Warning: " in shown


def test_rules_that_together_leave_too_few_are_warned_of(promoted: Bundle, file: Path) -> None:
    halves = [("even", "brand in ('brand 0', 'brand 2', 'brand 4')"), ("odd", "brand in ('brand 1', 'brand 3')")]
    rules = ", ".join(f'{{id: {name}, when: {{surface: home}}, where: "{where}", exclude: true}}' for name, where in halves)
    file.write_text(f"version: 1\nrules: [{rules}]")
    assert any("all rules that hold for somebody unknown leave 0 of the" in warning for warning in checked(file)["warnings"])
    elsewhere = checked(file, "--surface", "email")
    assert elsewhere["leaves_enough"]


def test_counts_that_depend_on_the_request_are_null_and_by_request(promoted: Bundle, file: Path) -> None:
    file.write_text("version: 1\nrules: [{id: low, where: score < 0.1, exclude: true}]")
    assert checked(file)["rules"][0]["leaves"] is None
    assert "by request" in run("check", file)


def test_without_a_bundle_the_file_alone_is_checked(home: Path, file: Path) -> None:
    assert "no bundle is promoted" in run("check", file)
    assert checked(file)["bundle"] is None
    file.write_text(RULES.replace("brand = 'brand 0'", "brnd = 'brand 0'"))
    with pytest.raises(InvalidInput, match="did you mean `brand`"):
        run("check", file)


@pytest.mark.processes
def test_a_bad_file_is_one_message_and_exit_code_2(home: Path, file: Path) -> None:
    file.write_text(RULES.replace("factor: 100", "factor: 0.1"))
    done = subprocess.run([ENDCAP, "rules", "check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert "mine.yaml, line 5, rule aisle-3, boost.factor" in done.stderr and done.stderr.count("\n") == 1


def test_show_names_the_rules_in_force(home: Path) -> None:
    assert "No rules: there is no file" in run("show")
    assert json.loads(run("show", "--json"))["version"] == "none"
    (home / "rules.yaml").write_text(RULES)
    shown = run("show")
    for part in ("version 7-", "aisle-3", "boost factor 100.0", "surface home", "cap most 1, by brand, within 3", "picks 2 items"):
        assert part in shown
    document = json.loads(run("show", "--json"))
    assert document["version"].startswith("7-") and document["rules"][0]["id"] == "no-brand-0"


def test_the_schema_is_one_of_rule_files() -> None:
    document = json.loads(run("schema"))
    assert document["$schema"].startswith("https://json-schema.org/") and set(document["properties"]) == {
        "version",
        "revision",
        "rules",
        "picks",
    }


@pytest.fixture
def feature_tables(home: Path) -> None:
    """Three people, two moments; u2 bought one thing often."""
    from datetime import UTC, datetime

    from endcap.features.columns import USER_CATEGORICAL, USER_NUMERIC

    moments = [datetime(2017, 12, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC)]
    users = [
        {
            "user_id": f"u{number}",
            "event_timestamp": moment,
            **{name: float(9 - number) for name in USER_NUMERIC},
            **dict.fromkeys(USER_CATEGORICAL, ""),
            "history_item_ids": ["i00042"],
            "history_occurred_at": [int(moment.timestamp()) - 86_400],
            "category_ids": [],
            "category_shares": [],
            "brand_ids": [],
            "brand_shares": [],
        }
        for number in range(3)
        for moment in moments
    ]
    pairs = [
        {
            "user_id": "u2",
            "event_timestamp": moments[1],
            "pair_item_ids": ["i00042"],
            "pair_times_bought": [9.0],
            "pair_baskets_28d": [3.0],
            "pair_baskets_90d": [9.0],
            "pair_last_bought_at": [int(moments[1].timestamp()) - 864_000],
            "pair_gap_mean_days": [9.0],
            "pair_decayed_20d": [2.0],
            "pair_decayed_60d": [5.0],
        }
    ]
    (home / "features").mkdir()
    pl.DataFrame(users).write_parquet(home / "features" / "user_features.parquet")
    pl.DataFrame(pairs).write_parquet(home / "features" / "user_item_features.parquet")
