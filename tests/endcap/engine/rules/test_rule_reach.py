from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.rules.rule_reach import RuleReach

Compiled = Callable[[str], RuleBook]


def reach(compiled: Compiled, rule: str) -> RuleReach:
    (found,) = compiled(f"rules:\n  - {{id: r, {rule}}}").reaches()
    return found


def brands(items: ItemTable) -> list[str]:
    return [items.brands.name(code) for code in items.brand_code[1:].tolist()]


def test_a_rule_matches_the_items_that_meet_its_condition_and_excluding_them_leaves_the_rest(compiled: Compiled, items: ItemTable) -> None:
    found = reach(compiled, "where: \"brand = 'Own 1'\", exclude: true")
    own = np.array([brand == "Own 1" for brand in brands(items)])
    in_stock = items.available[1:]
    assert found.matches == own.sum()
    assert found.in_stock == (own & in_stock).sum()
    assert found.leaves == (~own & in_stock).sum()
    assert found.catalogue == in_stock.sum()
    assert found.shortage(10) is None


def test_a_rule_that_leaves_nothing_is_told_with_what_it_leaves(compiled: Compiled) -> None:
    found = reach(compiled, "where: available, exclude: true")
    assert found.leaves == 0
    assert found.shortage(10) == f"leaves 0 of the {found.catalogue} items in stock; a list of 10 has 10 places for them"


def test_enough_for_a_short_list_may_be_too_little_for_a_long_one(compiled: Compiled) -> None:
    found = reach(compiled, "where: \"item_id not in ('i0001', 'i0002', 'i0003')\", exclude: true")
    assert found.leaves == 3
    assert found.shortage(3) is None
    assert found.shortage(4)


@pytest.mark.parametrize("column", ["brand", "category_1", "price"])
def test_a_cap_leaves_so_many_of_each_group_and_all_that_are_of_none(compiled: Compiled, items: ItemTable, column: str) -> None:
    found = reach(compiled, f"cap: {{most: 2, by: {column}}}")
    values = {
        "brand": [brand or None for brand in brands(items)],
        "category_1": [items.categories.name(code) or None for code in items.category_codes[1:, 0].tolist()],
        "price": [None if np.isnan(price) else price for price in items.price[1:].tolist()],
    }[column]
    counts = Counter(value for value, available in zip(values, items.available[1:], strict=True) if available)
    unknown = counts.pop(None, 0)
    assert found.leaves == sum(min(count, 2) for count in counts.values()) + unknown


def test_a_cap_within_the_first_places_is_held_against_these(compiled: Compiled) -> None:
    rule = "where: \"brand = 'Own 1' or price is null\", cap: {most: 1, by: available%s}"
    whole, first = (reach(compiled, rule % within) for within in ("", ", within: 1"))
    assert whole.leaves == first.leaves
    assert first.shortage(500) is None
    assert whole.shortage(500)


@pytest.mark.parametrize(
    ("rule", "short"),
    [
        ("where: \"brand = 'Own 1'\", boost: {factor: 2}", None),
        ("boost: {factor: 2}", None),
        ("where: not available, boost: {factor: 2}", "none of its"),
        ("where: not available, pin: {position: 1}", "none of its"),
        ("where: \"item_id in ('i0001', 'i0002')\", minimum_share: {share: 0.2}", None),
        (
            "where: \"item_id in ('i0001', 'i0002')\", minimum_share: {share: 0.3}",
            "has 2 items in stock; in a list of 10 it asks for 3 places",
        ),
        ("where: \"item_id = 'i0001'\", reserve: {positions: [1, 4, 40]}", "has 1 items in stock; in a list of 10 it asks for 2 places"),
        ("where: \"item_id = 'i0001'\", reserve: {positions: [1, 40]}", None),
        ("where: \"brand = 'nobody'\", exclude: true", None),
    ],
)
def test_what_a_rule_asks_for_is_held_against_what_there_is(compiled: Compiled, rule: str, short: str | None) -> None:
    found = reach(compiled, rule).shortage(10)
    assert (found is None) if short is None else (found is not None and found.startswith(short))


@pytest.mark.parametrize("rule", ["where: score > 0.5, exclude: true", "cap: {most: 1, by: source}"])
def test_what_depends_on_the_request_is_not_counted(compiled: Compiled, rule: str) -> None:
    found = reach(compiled, rule)
    assert found.leaves is None
    assert found.shortage(10) is None
