"""What rules do to candidates, against the same SQL evaluated item by item over the full frame."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.engine.rules.active_rules import FACTOR_MAX, FACTOR_MIN
from endcap.engine.rules.conditions.candidate_values import CandidateValues, positions
from endcap.engine.rules.conditions.columns import CANDIDATE_COLUMNS, SCHEMA
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.rules.rule_effects import RuleEffects
from tests.endcap.engine.rules.made_catalogue import NOW, at, made_candidates
from tests.properties import examples

PARTS = st.sampled_from(
    [
        "brand = 'Own 1'",
        "price < 4",
        "price is null",
        "not (margin > 0.2)",
        "category_1 = 'Food'",
        "age_days < 60",
        "score > 0.5",
        "position <= 10",
        "source = 'two_tower'",
        "source in ('popular', 'buy_again')",
        "bought_before",
        "not bought_before",
        "brought_by_popular",
        "buy < 0.3",
        "not (buy > 0.7 or price > 5)",
        "buy_again is null",
        "score > price / 10",
    ]
)
CONDITIONS = st.recursive(
    PARTS, lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
)
ACTIONS = st.one_of(
    st.floats(1.01, 5).map(lambda factor: {"boost": {"factor": factor}}),
    st.floats(0.1, 0.9).map(lambda factor: {"bury": {"factor": factor}}),
    st.just({"exclude": True}),
    st.integers(1, 9).map(lambda position: {"pin": {"position": position}}),
    st.just({"reserve": {"positions": [2, 3]}}),
    st.just({"minimum_share": {"share": 0.3}}),
    st.sampled_from(["brand", "category", "category_2", "source", "price", "bought_before", "title"]).map(
        lambda by: {"cap": {"most": 2, "by": by}}
    ),
)
RULES = st.lists(st.tuples(CONDITIONS, ACTIONS), min_size=1, max_size=12)


def book_of(rules: list[tuple[str | None, dict[str, Any]]], items: ItemTable) -> RuleBook:
    entries = [{"id": f"r{number}", "where": where} | action for number, (where, action) in enumerate(rules)]
    return RuleBook.compile(RuleFile.model_validate({"version": 1, "rules": entries}), items, lambda: NOW)


def effects_of(book: RuleBook, values: CandidateValues) -> RuleEffects:
    active = book.active(at())
    return book.effects(active, values.candidates, values.score, values.probabilities, values.items.items, values.bought_before)


def held(where: str, values: CandidateValues) -> np.ndarray:
    frame = values.frame(list(SCHEMA))
    return frame.select(pl.sql_expr(where).fill_null(False).alias("held"))["held"].to_numpy()


@examples(60)
@given(rules=RULES, seed=st.integers(0, 1000), ranked=st.booleans())
def test_effects_are_those_of_each_rule_evaluated_by_itself(items: ItemTable, rules: list[Any], seed: int, ranked: bool) -> None:
    values = made_candidates(items, seed, ranked=ranked)
    book = book_of(rules, items)
    effects = effects_of(book, values)
    factor, excluded = np.ones(60), np.zeros(60, dtype=bool)
    placed = {"pin": iter(effects.placements.pins), "reserve": iter(effects.placements.reserves), "cap": iter(effects.placements.caps)}
    placed["minimum_share"] = iter(effects.placements.shares)
    for (where, action), count in zip(rules, effects.counts(len(book.rules)), strict=True):
        concerned = held(where, values)
        kind, settings_of = next(iter(action.items()))
        assert count == concerned.sum()
        if kind in ("boost", "bury"):
            factor[concerned] *= settings_of["factor"]
        elif kind == "exclude":
            excluded |= concerned
        elif kind == "cap":
            np.testing.assert_array_equal(next(placed[kind]).group >= 0, concerned & known(settings_of["by"], values))
        else:
            np.testing.assert_array_equal(next(placed[kind]).member, concerned)
    np.testing.assert_allclose(effects.factor, np.clip(factor, FACTOR_MIN, FACTOR_MAX), rtol=1e-4)
    np.testing.assert_array_equal(effects.excluded, excluded)


def known(by: str, values: CandidateValues) -> np.ndarray:
    return values.series(by).is_not_null().to_numpy()


@examples(20)
@given(rules=RULES, seed=st.integers(0, 1000))
def test_touched_names_the_rules_that_excluded_boosted_or_buried_each_row(items: ItemTable, rules: list[Any], seed: int) -> None:
    values = made_candidates(items, seed)
    rows = np.array([3, 0, 59, 17])
    expected = [
        [
            f"r{number}"
            for number, (where, action) in enumerate(rules)
            if next(iter(action)) in ("boost", "bury", "exclude") and held(where, values)[row]
        ]
        for row in rows.tolist()
    ]
    touched = effects_of(book_of(rules, items), values).touched(rows, [None, "pinned", None, None])
    assert touched == [expected[0], [*expected[1], "pinned"], *expected[2:]]


@pytest.mark.parametrize("by", ["brand", "category", "category_1", "source", "price", "title", "item_id", "available", "age_days", "buy"])
def test_a_cap_groups_equal_values_and_leaves_the_unknown_alone(items: ItemTable, by: str) -> None:
    values = made_candidates(items, 5)
    group = effects_of(book_of([(None, {"cap": {"most": 1, "by": by}})], items), values).placements.caps[0].group
    column = values.series(by).to_list()
    assert [code < 0 for code in group.tolist()] == [value is None for value in column]
    pairs = {(code, value) for code, value in zip(group.tolist(), column, strict=True) if code >= 0}
    assert len(pairs) == len({code for code, _ in pairs}) == len({value for _, value in pairs})


def test_a_rule_for_all_items_counts_for_all(items: ItemTable) -> None:
    effects = effects_of(book_of([(None, {"boost": {"factor": 2}})], items), made_candidates(items, 1))
    assert np.allclose(effects.factor, 2) and effects.counts(1).tolist() == [60]


def test_factors_stay_within_sane_bounds(items: ItemTable) -> None:
    values = made_candidates(items, 1)
    assert effects_of(book_of([(None, {"boost": {"factor": 900.0}})] * 3, items), values).factor.max() == np.float32(FACTOR_MAX)
    assert effects_of(book_of([(None, {"bury": {"factor": 0.001}})] * 3, items), values).factor.min() == np.float32(FACTOR_MIN)


def test_candidates_need_not_be_in_order(items: ItemTable) -> None:
    score = np.array([0.2, 0.9, 0.5, 0.9], dtype=np.float32)
    assert positions(score).tolist() == [4, 1, 3, 2]


def test_without_candidates_or_rules_nothing_happens(items: ItemTable) -> None:
    empty = made_candidates(items, 1, m=0)
    book = book_of([("score > 0.1", {"exclude": True}), ("price > 1", {"cap": {"most": 1, "by": "title"}})], items)
    assert len(effects_of(book, empty).factor) == 0
    nothing = effects_of(RuleBook.compile(RuleFile(version=1), items), made_candidates(items, 1))
    assert np.all(nothing.factor == 1) and not nothing.excluded.any() and not nothing.placements
    assert nothing.touched(np.array([1, 2])) == [[], []] and nothing.counts(0).tolist() == []


@pytest.mark.parametrize("column", [column.name for column in CANDIDATE_COLUMNS])
def test_every_candidate_column_has_its_type_ranked_or_not(items: ItemTable, column: str) -> None:
    for ranked in (True, False):
        series = made_candidates(items, 2, ranked=ranked).series(column)
        assert series.dtype == SCHEMA[column] and len(series) == 60


def test_a_probability_that_is_unknown_meets_no_condition(items: ItemTable) -> None:
    book = book_of([("buy >= 0", {"boost": {"factor": 2}}), ("not (buy >= 0)", {"boost": {"factor": 2}})], items)
    assert np.all(effects_of(book, made_candidates(items, 2, ranked=False)).factor == 1)


def test_factors_multiply(items: ItemTable, compiled: Callable[[str], RuleBook]) -> None:
    book = compiled("""
        rules:
          - {id: a, where: price > 0, boost: {factor: 3}}
          - {id: b, where: price > 0, bury: {factor: 0.5}}
          - {id: c, where: score >= 0, boost: {factor: 2}}
    """)
    values = made_candidates(items, 4)
    priced = values.series("price").is_not_null().to_numpy()
    np.testing.assert_allclose(effects_of(book, values).factor, np.where(priced, 3.0, 2.0), rtol=1e-5)
    assert math.isclose(FACTOR_MAX * FACTOR_MIN, 1)
