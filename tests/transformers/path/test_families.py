"""Look-alikes in the lists of a whole request path: one of a family, unless the surface says otherwise."""

from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from endcap.contracts.bundle import BundleManifest
from endcap.contracts.request import Filters
from endcap.core.settings import Settings
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.release.bundle.manifest import present_feature_columns
from endcap_benchmarks.synthetic.bundle import make_items, make_tables, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from tests.transformers.path.test_request_path import IDS, SIZE, items_of, make_path, recommend

FAMILY_OF = {item: f"F{number // 3}" for number, item in enumerate(IDS)}
"""Three items in a row are of one family."""


@pytest.fixture(scope="module")
def families() -> ServedBundle:
    rows = make_items(SIZE).with_columns(pl.col("item_id").replace_strict(FAMILY_OF).alias("family_id"))
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    return served_from(manifest, make_tables(SIZE, rows), Settings(replay_at=manifest.data_end))


def most_of_a_family(answer) -> int:
    return max(Counter(FAMILY_OF[item] for item in items_of(answer)).values())


@pytest.mark.parametrize("surface", ["product", "product_similar", "product_bought_together", "cart"])
@pytest.mark.parametrize("k", [40, 95])
def test_a_page_or_cart_shows_no_look_alike_of_its_own_items(families, feature_row, surface, k) -> None:
    page = [IDS[200], IDS[10]]
    answer = recommend(make_path(families, feature_row), families, user_id="U1", surface=surface, item_ids=page, k=k)
    assert len(answer.recommendations) == k
    assert not {FAMILY_OF[item] for item in page} & {FAMILY_OF[item] for item in items_of(answer)}


def test_look_alikes_of_the_page_are_shown_where_nothing_else_is_left_or_the_surface_says_so(families, feature_row, tmp_path) -> None:
    own = FAMILY_OF[IDS[9]]
    asked = {"surface": "product", "item_ids": [IDS[9]]}
    whole = items_of(recommend(make_path(families, feature_row), families, k=300, **asked))
    assert own in {FAMILY_OF[item] for item in whole[len(whole) // 3 :]}
    path = tmp_path / "surfaces.yaml"
    path.write_text("version: 1\nsurfaces: {product: {items: page, page_family: true, sources: {content: {}, popular: {}}}}\n")
    shown = items_of(recommend(make_path(families, feature_row, surfaces=path), families, k=99, **asked))
    assert [FAMILY_OF[item] for item in shown].count(own) == 1


def test_an_explanation_says_what_the_page_left_out(families, feature_row) -> None:
    page = IDS[::30]
    answer = recommend(make_path(families, feature_row), families, user_id="U1", surface="cart", item_ids=page, k=60, explain=True)
    first, *others = [item.explanation for item in answer.recommendations]
    for left_out in first["page_families"]:
        assert left_out["family_id"] in {FAMILY_OF[item] for item in page}
        assert {FAMILY_OF[item] for item in left_out["left_out"]} == {left_out["family_id"]}
    assert not any("page_families" in explanation for explanation in others)


@pytest.mark.parametrize("surface", ["home", "product", "cart", "category", "email"])
@pytest.mark.parametrize("user", ["U1", None])
def test_a_list_shows_one_of_each_family(families, feature_row, surface, user) -> None:
    answer = recommend(make_path(families, feature_row), families, user_id=user, surface=surface, item_ids=[IDS[200]], k=40)
    assert (len(answer.recommendations), most_of_a_family(answer)) == (40, 1)


def test_what_fills_the_list_up_is_of_other_families_as_long_as_there_are_some(families, feature_row) -> None:
    asked = {"surface": "product_bought_together", "item_ids": [IDS[0]], "explain": True}
    answer = recommend(make_path(families, feature_row), families, k=95, **asked)
    assert any("last_resort" in item.explanation for item in answer.recommendations)
    assert most_of_a_family(answer) == 1


def test_no_list_is_shorter_than_without_families(served, families, feature_row) -> None:
    for asked in ({"k": 280}, {"k": 30, "filters": Filters(brands=["Brand 3"])}, {"k": 120, "surface": "cart", "item_ids": [IDS[9]]}):
        limited = recommend(make_path(families, feature_row), families, user_id="U1", **asked)
        assert len(limited.recommendations) == len(recommend(make_path(served, feature_row), served, user_id="U1", **asked).recommendations)


def test_a_search_and_a_surface_that_says_so_show_all_of_a_family(families, feature_row, tmp_path) -> None:
    given = IDS[30:42]
    found = recommend(make_path(families, feature_row), families, user_id="U1", surface="search", item_ids=given, k=12)
    assert set(items_of(found)) == set(given)
    path = tmp_path / "surfaces.yaml"
    path.write_text("version: 1\nsurfaces: {home: {sources: {popular: {}}, families: all}}\n")
    assert most_of_a_family(recommend(make_path(families, feature_row, surfaces=path), families, k=40)) > 1


def test_a_pin_shows_another_of_the_family(families, feature_row) -> None:
    path = make_path(families, feature_row)
    first = items_of(recommend(path, families, user_id="U1"))[0]
    in_stock = [item for item, available in zip(IDS, families.tables.items.available[1:], strict=True) if available]
    sister = next(item for item in in_stock if FAMILY_OF[item] == FAMILY_OF[first] and item != first)
    rule = {"id": "shown", "where": f"item_id == '{sister}'", "pin": {"position": 2}}
    book = RuleBook.compile(RuleFile.model_validate({"version": 1, "rules": [rule]}), families.tables.items, families.clock)
    pinned = items_of(recommend(path, replace(families, rules=book), user_id="U1"))
    assert pinned[1] == sister
    assert first not in pinned


def test_an_explanation_says_what_was_left_out(families, feature_row) -> None:
    path = make_path(families, feature_row)
    answer = recommend(path, families, user_id="U1", k=30, explain=True)
    told = {item.item_id: item.explanation["family"] for item in answer.recommendations if "family" in item.explanation}
    assert told
    shown = set(items_of(answer))
    for item, family in told.items():
        assert family["family_id"] == FAMILY_OF[item]
        assert not set(family["left_out"]) & shown
        assert {FAMILY_OF[other] for other in family["left_out"]} == {FAMILY_OF[item]}


def test_a_bundle_from_before_families_limits_nothing(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, user_id="U1", k=60, explain=True)
    assert all("family" not in item.explanation for item in answer.recommendations)
    assert not served.tables.items.family_code.any()


def test_families_without_an_id_or_with_one_item_are_none(feature_row) -> None:
    rows = make_items(SIZE).with_columns(
        pl.when(pl.int_range(pl.len()) < 2).then(pl.lit("pair")).when(pl.int_range(pl.len()) == 5).then(pl.lit("alone")).alias("family_id")
    )
    items = make_tables(SIZE, rows).items
    assert np.flatnonzero(items.family_code).tolist() == [1, 2]
    assert list(items.families.names) == ["pair"]
