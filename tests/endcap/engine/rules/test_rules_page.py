"""docs/rules.md and the example it names say what the code does."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from endcap.catalogue.item_table import ItemTable
from endcap.cli.rules import app
from endcap.core.errors import InvalidInput
from endcap.core.sql_condition import FUNCTIONS
from endcap.engine.rules.conditions.columns import CANDIDATE_COLUMNS, ITEM_COLUMNS
from endcap.engine.rules.file.rule_file import ACTIONS, PickList, Rule, RuleFile, parse_rules, read_rules
from endcap.engine.rules.file.when import Time, When
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.slate import Slate, SlotKind
from endcap.release.bundle.manifest import Bundle
from tests.endcap.engine.rules.made_catalogue import NOW, at, made_candidates, written

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "rules.md").read_text(encoding="utf-8")
EXAMPLE = DOCS / "examples" / "rules.yaml"
TYPES = {"String": "text", "Float32": "number", "Int32": "whole number", "Boolean": "true or false"}
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    endcap rules ")]


@pytest.mark.parametrize("model", [RuleFile, Rule, PickList, When, Time])
def test_every_key_is_described(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}`" in PAGE or f"`{name}:" in PAGE, name


def test_every_action_has_an_example_that_is_read() -> None:
    examples = re.findall(r"^\| `(\w+: [^`]+)` \|", PAGE, flags=re.MULTILINE)
    assert [example.partition(":")[0] for example in examples] == list(ACTIONS)
    for example in examples:
        parse_rules(f"version: 1\nrules:\n  - id: a\n    where: price > 1\n    {example}\n")


def test_the_columns_are_those_of_the_code() -> None:
    for column in (*ITEM_COLUMNS, *CANDIDATE_COLUMNS):
        assert f"| `{column.name}` | {TYPES[str(column.dtype)]} | {column.description} |" in PAGE
    documented = re.findall(r"^\| `(\w+)` \| (?:text|number|whole number|true or false) \|", PAGE, flags=re.MULTILINE)
    assert documented == [column.name for column in (*ITEM_COLUMNS, *CANDIDATE_COLUMNS)]
    assert all(f"`{name}`" in PAGE for name in FUNCTIONS)


def test_the_files_shown_are_good(items: ItemTable) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        RuleBook.compile(parse_rules(block), items, lambda: NOW)


def test_the_refusal_shown_is_the_one_that_comes() -> None:
    text = "version: 1\nrules:\n  - id: own-brand\n    where: >\n      starts_with(brand, 'Private')\n    minimum_share: {share: 20}\n"
    with pytest.raises(InvalidInput) as refused:
        parse_rules(text, "rules.yaml")
    assert f"    error {refused.value}\n" in PAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run(command: str, make_bundle: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / ".endcap"))
    monkeypatch.chdir(DOCS.parent)
    make_bundle(1, folder=tmp_path / ".endcap" / "served" / "endcap")
    (tmp_path / ".endcap" / "rules.yaml").write_text(EXAMPLE.read_text(encoding="utf-8"))
    arguments = [word for word in shlex.split(command)[2:] if word not in ("--user", "1364")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and "2026-11 grocery-" in result.stdout


def test_the_example_uses_every_action_but_pin(items: ItemTable) -> None:
    file = read_rules(EXAMPLE)
    assert {rule.action for rule in file.rules} == set(ACTIONS) - {"pin"} and file.picks
    RuleBook.compile(file, items, lambda: NOW)


def slate_of(items: ItemTable, rules: str, k: int = 6) -> tuple[Slate, list[str]]:
    """The list of ten items, i0001 to i0010 by descending score."""
    book = RuleBook.compile(written("rules:\n" + rules), items, lambda: NOW)
    values = made_candidates(items, 1, m=10)
    candidates = values.candidates
    object.__setattr__(candidates, "index", items.ids.codes([f"i{number:04}" for number in range(1, 11)]))
    score = np.linspace(1, 0.1, 10, dtype=np.float32)
    effects = book.effects(book.active(at()), candidates, score, {}, items, np.zeros(10, dtype=bool))
    rows = np.flatnonzero(~effects.excluded)
    slate = assemble((score * effects.factor)[rows], k, placements=effects.placements.over(rows))
    return slate, [items.ids.name(int(index))[-2:] for index in candidates.index[rows[slate.rows]]]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", "01 02 03 04 05 06"),
        ("  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 2}}", "01 09 02 03 04 05"),
        ("  - {id: p, where: \"item_id = 'i0099'\", pin: {position: 2}}", "01 02 03 04 05 06"),
        ("  - {id: p, where: \"item_id in ('i0008', 'i0009')\", pin: {position: 1}}", "08 01 02 03 04 05"),
        ("  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 7}}", "01 02 03 04 05 06"),
        (
            "  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 1}}\n  - {id: q, where: \"item_id = 'i0008'\", pin: {position: 1}}",
            "09 01 02 03 04 05",
        ),
        (
            "  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 1}}\n"
            "  - {id: q, where: \"item_id in ('i0009', 'i0008')\", pin: {position: 2}}",
            "09 08 01 02 03 04",
        ),
        (
            "  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 1}}\n  - {id: x, where: \"item_id = 'i0009'\", exclude: true}",
            "01 02 03 04 05 06",
        ),
        (
            "  - {id: r, where: \"item_id = 'i0009'\", reserve: {positions: [1]}}\n"
            "  - {id: p, where: \"item_id = 'i0008'\", pin: {position: 1}}",
            "08 01 02 03 04 05",
        ),
        ("  - {id: r, where: \"item_id = 'i0009'\", reserve: {positions: [2, 3]}}", "01 09 02 03 04 05"),
        ("  - {id: s, where: \"item_id in ('i0009', 'i0010')\", minimum_share: {share: 0.3}}", "01 02 03 04 09 10"),
        ("  - {id: s, where: \"item_id in ('i0001', 'i0002')\", minimum_share: {share: 0.3}}", "01 02 03 04 05 06"),
        (
            "  - {id: c, where: \"item_id in ('i0001', 'i0009')\", cap: {most: 1, by: available}}\n"
            "  - {id: p, where: \"item_id = 'i0009'\", pin: {position: 3}}",
            "02 03 09 04 05 06",
        ),
    ],
)
def test_conflicts_end_as_the_page_says(items: ItemTable, rules: str, expected: str) -> None:
    assert " ".join(slate_of(items, rules)[1]) == expected


def test_a_list_is_never_short_for_a_cap(items: ItemTable) -> None:
    slate, listed = slate_of(items, "  - {id: c, where: score > 0, cap: {most: 1, by: bought_before}}")
    assert len(listed) == 6 and slate.kind.count(SlotKind.RELAXED) == 5 and set(slate.rule) == {None, "c"}
