"""A book: which rules hold when, what they hide, pick and require, and its change with the catalogue."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import InvalidInput
from endcap.engine.rules.rule_book import ITEMS_A_RULE, MASKS_KEPT, RuleBook
from endcap.features.columns import ITEM_NUMERIC
from tests.endcap.engine.rules.made_catalogue import NOW, at, made_candidates, made_items, written
from tests.properties import examples

Compiled = Callable[[str], RuleBook]


def holding(book: RuleBook, **context: Any) -> list[str]:
    return [name for name, _ in book.active(at(**context)).names]


def items_of(book: RuleBook, items: ItemTable, index: np.ndarray) -> list[str]:
    return [items.ids.name(int(code)) for code in index]


def test_when_chooses_by_surface_segment_device_region_and_variant(compiled: Compiled) -> None:
    book = compiled("""
        rules:
          - {id: everywhere, boost: {factor: 2}}
          - {id: on-home, when: {surface: [home, email]}, boost: {factor: 2}}
          - {id: young, when: {segment: [age_band=19-24, age_band=25-34]}, boost: {factor: 2}}
          - {id: app, when: {device: app, region: north}, boost: {factor: 2}}
          - {id: tried, when: {variant: b}, boost: {factor: 2}}
          - {id: "off", enabled: false, boost: {factor: 2}}
    """)
    assert holding(book, surface="cart") == ["everywhere"]
    assert holding(book, surface="email") == ["everywhere", "on-home"]
    assert holding(book, surface="cart", segments=("region=x", "age_band=25-34")) == ["everywhere", "young"]
    assert holding(book, surface="cart", device="app") == ["everywhere"]
    assert holding(book, surface="cart", device="app", region="north") == ["everywhere", "app"]
    assert holding(book, surface="cart", variant="b") == ["everywhere", "tried"]
    assert [name for name, _ in book.rules] == ["everywhere", "on-home", "young", "app", "tried"]


def test_time_windows_open_and_close(compiled: Compiled) -> None:
    book = compiled("""
        rules:
          - {id: morning, when: {time: {zone: Europe/Berlin, hours: 08:00-12:00}}, boost: {factor: 2}}
          - {id: week, when: {time: {from: "2026-11-27T10:00Z", to: "2026-12-04T10:00Z"}}, boost: {factor: 2}}
    """)
    assert holding(book, now=NOW) == ["morning", "week"]
    assert holding(book, now=NOW - timedelta(microseconds=1)) == ["morning"]
    assert holding(book, now=NOW + timedelta(hours=1)) == ["week"]
    assert holding(book, now=NOW + timedelta(days=30, hours=5)) == []


def test_requests_that_no_rule_tells_apart_share_their_rules(compiled: Compiled) -> None:
    book = compiled("rules: [{id: a, when: {surface: home}, boost: {factor: 2}}]")
    assert book.active(at(segments=("age_band=1",), device="app")) is book.active(at(region="north", now=NOW + timedelta(days=9)))
    assert book.active(at("cart")) is not book.active(at("home"))


def test_excluded_is_what_plain_excludes_hide(compiled: Compiled, items: ItemTable) -> None:
    book = compiled("""
        rules:
          - {id: boosted, where: margin > 0.1, boost: {factor: 2}}
          - {id: cheap, where: price < 2, exclude: true}
          - {id: own, when: {surface: cart}, where: brand = 'Own 1', exclude: true}
          - {id: asked, where: score < 0.1, exclude: true}
    """)
    at_home, in_cart = book.excluded(book.active(at("home"))), book.excluded(book.active(at("cart")))
    assert at_home is not None and in_cart is not None
    own = items.brand_code == items.brands.code("Own 1")
    np.testing.assert_array_equal(at_home, items.price < 2)
    np.testing.assert_array_equal(in_cart, (items.price < 2) | own)
    assert book.excluded(book.active(at("home"))) is at_home
    boosts = compiled("rules: [{id: a, boost: {factor: 2}}]")
    assert boosts.excluded(boosts.active(at())) is None


@examples(20)
@given(
    st.lists(st.sampled_from(["price < 2", "brand = 'Own 1'", "category_1 = 'Food'", "margin > 0.2", "available"]), min_size=1, max_size=20)
)
def test_an_excluded_candidate_is_always_both_hidden_and_marked(items: ItemTable, conditions: list[str]) -> None:
    rules = "".join(f'  - {{id: r{number}, where: "{where}", exclude: true}}\n' for number, where in enumerate(conditions))
    book = RuleBook.compile(written("rules:\n" + rules), items, lambda: NOW)
    active, values = book.active(at()), made_candidates(items, 7)
    hidden = book.excluded(active)
    assert hidden is not None
    marked = book.effects(active, values.candidates, values.score, {}, items, values.bought_before).excluded
    np.testing.assert_array_equal(marked, hidden[values.candidates.index])


def test_masks_are_kept_for_few_sets_of_rules_only(items: ItemTable) -> None:
    rules = "".join(f'  - {{id: r{n}, when: {{surface: s{n}}}, where: "price < {n}", exclude: true}}\n' for n in range(MASKS_KEPT + 9))
    book = RuleBook.compile(written("rules:\n" + rules), items, lambda: NOW)
    for number in range(MASKS_KEPT + 9):
        np.testing.assert_array_equal(book.excluded(book.active(at(f"s{number}"))), items.price < number)
    assert len(book._masks) == MASKS_KEPT


def test_picks_are_the_known_items_in_their_order(compiled: Compiled, items: ItemTable) -> None:
    book = compiled("""
        picks:
          - {id: a, items: [i0020, gone, i0010]}
          - {id: b, when: {surface: cart}, items: [i0010, i0030]}
    """)
    assert items_of(book, items, book.picks(book.active(at("home")))) == ["i0020", "i0010"]
    assert items_of(book, items, book.picks(book.active(at("cart")))) == ["i0020", "i0010", "i0030"]
    assert any("gone" in warning for warning in book.warnings())


def test_items_that_rules_give_places_to_are_required_the_most_bought_first(compiled: Compiled, items: ItemTable) -> None:
    book = compiled("""
        rules:
          - {id: p, where: "item_id = 'i0003'", pin: {position: 1}}
          - {id: s, when: {surface: cart}, where: "starts_with(brand, 'Own') and not bought_before", minimum_share: {share: 0.2}}
          - {id: gone, where: "item_id = 'i0006'", pin: {position: 2}}
          - {id: asked, where: score > 0.5 or price > 3, reserve: {positions: [3]}}
          - {id: b, where: price > 1, boost: {factor: 2}}
    """)
    assert items_of(book, items, book.required(book.active(at("home")))) == ["i0003"], "i0006 is out of stock"
    required = book.required(book.active(at("cart")))
    own = np.array([name.startswith("Own") for name in (items.brands.name(int(code)) for code in items.brand_code)]) & items.available
    purchases = items.numeric[:, ITEM_NUMERIC.index("purchases_90d")]
    pinned, required = required[0], required[1:]
    assert items.ids.name(int(pinned)) == "i0003" and own[required].all() and len(required) == ITEMS_A_RULE
    assert purchases[required].min() >= np.sort(purchases[own])[::-1][ITEMS_A_RULE - 1]


def test_a_changed_catalogue_gives_the_same_book_as_a_new_one(compiled: Compiled, items: ItemTable) -> None:
    text = """
        rules:
          - {id: cheap, where: price < 3, exclude: true}
          - {id: stock, where: available and brand = 'Own 1', pin: {position: 1}}
          - {id: old, where: age_days > 20, boost: {factor: 2}}
    """
    book = compiled(text)
    book.excluded(book.active(at()))
    changed = replace(items, price=items.price[::-1].copy(), available=~items.available, revision=1)
    again, fresh = book.recompiled(changed), RuleBook.compile(written(text), changed, lambda: NOW)
    np.testing.assert_array_equal(again._bits.packed, fresh._bits.packed)
    np.testing.assert_array_equal(again.excluded(again.active(at())), changed.price < 3)
    np.testing.assert_array_equal(again.required(again.active(at())), fresh.required(fresh.active(at())))
    assert again.version == book.version and again.reads_age
    assert book.excluded(book.active(at())) is not None, "the old book goes on answering"


def test_another_catalogue_is_compiled_anew(compiled: Compiled, items: ItemTable) -> None:
    book = compiled("rules: [{id: a, where: brand = 'Own 1', exclude: true}]")
    other = made_items(seed=9)
    np.testing.assert_array_equal(book.recompiled(other)._bits.packed, RuleBook.compile(book.file, other, lambda: NOW)._bits.packed)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{id: a, where: brnd = 'x', exclude: true}", "rule a (line 3): where: unknown column; got 'brnd'; did you mean `brand`?"),
        ("{id: a, cap: {most: 2, by: colour}}", "rule a (line 3): cap.by: unknown column; got 'colour'"),
        ("{id: a, where: price, exclude: true}", "rule a (line 3): where: must be true or false"),
    ],
)
def test_a_rule_that_cannot_be_compiled_is_named(compiled: Compiled, rule: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compiled(f"rules:\n  - {rule}")
    assert message in str(refused.value)


def test_a_condition_that_no_item_meets_is_warned_of(compiled: Compiled) -> None:
    book = compiled("rules: [{id: a, where: brand = 'Nobody', exclude: true}, {id: b, where: price > 1, boost: {factor: 2}}]")
    assert book.warnings() == ["rule a (line 2): no item of the catalogue meets its `where`"]


def test_the_version_is_the_files_name(compiled: Compiled) -> None:
    assert compiled("revision: 12\nrules: [{id: a, boost: {factor: 2}}]").version.startswith("12-")
    assert compiled("revision: 12").version == "none"
