"""The rule file's contract and the messages of a refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.engine.rules.file.rule_file import ACTIONS, RuleFile, parse_rules, read_rules
from tests.properties import examples

GOOD = """\
version: 1
revision: black friday   # the author's word
rules:
  - id: own-brand
    description: our own things first
    where: "starts_with(brand, 'Own')"
    minimum_share: {share: 0.2}
  - id: night
    when:
      surface: home
      segment: [age_band=25-34, age_band=35-44]
      time: {zone: Europe/Berlin, hours: 22:00-02:00, weekdays: [friday]}
    boost: {factor: 2}
picks:
  - id: team
    items: [12, 007, abc]
"""
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["id", "when", "where", "enabled", "items", "description", *ACTIONS, "other"])
HALF_RULES = st.dictionaries(KEYS, JUNK | st.sampled_from([{"factor": 2}, {"position": 1}, True, "price > 1", "a-rule"]), max_size=4)


def test_a_good_file_is_read() -> None:
    file = parse_rules(GOOD)
    assert [rule.action for rule in file.rules] == ["minimum_share", "boost"]
    assert file.rules[1].when.surface == ["home"]
    assert file.picks[0].items == ["12", "007", "abc"]
    assert file.place("night") == "rule night (line 8)"


def test_the_name_holds_the_revision_and_changes_with_the_content_only() -> None:
    name = parse_rules(GOOD).name
    assert name.startswith("black friday-")
    assert parse_rules("# a comment\n" + GOOD).name == name
    assert parse_rules(GOOD.replace("0.2", "0.3")).name != name


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("factor: 2", "factor: 0.5", ["line 13", "rule night", "boost.factor", "greater than 1", "0.5"]),
        ("factor: 2", "factr: 2", ["rule night", "boost.factr", "unknown key", "did you mean `factor`?"]),
        (
            "boost: {factor: 2}",
            "boost: {factor: 2}\n    bury: {factor: 0.5}",
            ["line 8", "rule night", "exactly one action", "boost, bury"],
        ),
        ("    boost: {factor: 2}\n", "", ["rule night", "exactly one action", "it has none"]),
        ("id: night", "id: own-brand", ["'own-brand' stands twice"]),
        ("id: night", "id: a rule", ["line 8", "id", "pattern", "'a rule'"]),
        ("id: team", "id: night", ["'night' stands twice"]),
        ("weekdays: [friday]", "weekdays: [fri]", ["line 12", "rule night", "when.time.weekdays[0]", "'friday'", "'fri'"]),
        ("Europe/Berlin", "Europe/Atlantis", ["line 12", "rule night", "when.time", "Europe/Atlantis", "IANA"]),
        ("version: 1", "version: 2", ["line 1", "version", "2"]),
        ("version: 1\n", "", ["version", "is missing"]),
        ("    where: \"starts_with(brand, 'Own')\"\n", "", ["rule own-brand", "needs a `where`"]),
        ("share: 0.2", "share: 20 %", ["rule own-brand", "minimum_share.share", "'20 %'"]),
        ("rules:", "rule:", ["line 3", "unknown key", "did you mean `rules`?"]),
        ("surface: home", "surfaces: home", ["rule night", "when.surfaces", "did you mean `surface`?"]),
        ("items: [12, 007, abc]", "items: []", ["picks team", "items", "at least 1"]),
    ],
)
def test_a_refusal_says_which_rule_where_what_and_how_to_mend_it(old: str, new: str, expected: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rules(GOOD.replace(old, new, 1), "rules.yaml")
    for part in ["rules.yaml", *expected]:
        assert part in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "rules", "version: 1\nrules: {}"])
def test_what_is_no_rule_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_rules(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\nrevision: caf\xe9\n")
    for path in (tmp_path / "missing.yaml", tmp_path, tmp_path / "latin.yaml"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            read_rules(path)


def test_an_empty_file_of_rules_is_fine() -> None:
    assert parse_rules("version: 1").rules == []
    assert parse_rules("version: 1\nrules:\n  # all commented out\npicks:").picks == []


def test_the_json_schema_knows_every_key_and_one_action_a_rule() -> None:
    schema = json.loads(json.dumps(RuleFile.model_json_schema()))
    rule = schema["$defs"]["Rule"]
    assert rule["additionalProperties"] is False and set(ACTIONS) < set(rule["properties"])
    assert [part["required"] for part in rule["oneOf"]] == [[action] for action in ACTIONS]
    assert {"from", "to", "zone", "weekdays", "hours"} == set(schema["$defs"]["Time"]["properties"])


@examples(60)
@given(st.fixed_dictionaries({}, optional={"version": st.just(1) | JUNK, "rules": st.lists(HALF_RULES, max_size=3) | JUNK, "picks": JUNK}))
def test_any_structure_is_read_or_refused(value: dict[str, Any]) -> None:
    try:
        parse_rules(yaml.safe_dump(value))
    except InvalidInput as refused:
        assert refused.message


@examples(60)
@given(st.text(max_size=100))
def test_any_text_in_the_place_of_a_rule_is_read_or_refused(text: str) -> None:
    try:
        parse_rules(f"version: 1\nrules:\n  - {text}\n")
    except InvalidInput as refused:
        assert refused.message
