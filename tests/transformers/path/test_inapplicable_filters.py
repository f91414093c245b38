"""Filters that no item of the catalogue could answer: left out and named, where they would empty every list."""

from dataclasses import replace

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.bundle import BundleManifest
from endcap.contracts.request import Consent, Filters, Instance, Preferences
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import present_feature_columns
from endcap_benchmarks.synthetic.bundle import make_items, make_tables, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from endcap_transformer.resilience.answer_cache import SharedAnswers, answer_json
from tests.properties import examples
from tests.transformers.path.test_request_path import SIZE, items_of, make_path, recommend

WITHOUT = {
    "price": pl.lit(None, pl.Float64),
    "brand": pl.lit(None, pl.String),
    "category_path": pl.lit([], pl.List(pl.String)),
}
ASKED = {
    "price_min": (Filters(price_min=1), ["price"]),
    "price_max": (Filters(price_max=5), ["price"]),
    "brands": (Filters(brands=["Brand 3"]), ["brand"]),
    "categories": (Filters(categories=["GROCERY"]), ["category_path"]),
}


def catalogue_without(*columns: str) -> ServedBundle:
    rows = make_items(SIZE).with_columns(**{name: WITHOUT[name] for name in columns})
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    return served_from(manifest, make_tables(SIZE, rows), Settings(replay_at=manifest.data_end))


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("surface", ["home", "category", "search"])
def test_a_filter_that_no_item_can_answer_is_left_out_and_named(feature_row, name, surface) -> None:
    filters, columns = ASKED[name]
    served = catalogue_without(*columns)
    path = make_path(served, feature_row)
    given = {"surface": surface, "user_id": "U1", "k": 7, "item_ids": ["I000007", "I000008"] if surface == "search" else []}
    answer = recommend(path, served, filters=filters, **given)
    assert answer.ignored == [f"filters.{name}"]
    assert items_of(answer) == items_of(recommend(path, served, **given))


def test_the_other_filters_of_the_request_still_apply(feature_row) -> None:
    served = catalogue_without("price")
    filters = Filters(price_min=1, price_max=3, categories=["GROCERY"])
    answer = recommend(make_path(served, feature_row), served, user_id="U1", k=20, filters=filters, exclude=["gone"])
    assert answer.ignored == ["gone", "filters.price_min", "filters.price_max"]
    paths = dict(make_items(SIZE).select("item_id", "category_path").iter_rows())
    assert all("GROCERY" in paths[item] for item in items_of(answer))
    assert len(answer.recommendations) == 20


def test_with_some_prices_the_filter_applies_as_ever(feature_row) -> None:
    served = catalogue_without("price")
    items = served.tables.items
    price = items.price.copy()
    price[[4, 9]] = 2.0, 7.0
    priced = served.with_items(replace(items, price=price, revision=1))
    answer = recommend(make_path(priced, feature_row), priced, user_id="U1", filters=Filters(price_max=5))
    assert (answer.ignored, items_of(answer)) == ([], [items.ids.name(4)])
    assert served.revision != priced.revision  # so no answer of before is given again


UNKNOWN = {
    "categories": (Filters(categories=["nowhere"]), ["filters.categories: nowhere"]),
    "brands": (Filters(brands=["Nobody's", "Nobody's"]), ["filters.brands: Nobody's"]),
    "both": (
        Filters(categories=["a", 'b"; \\'], brands=["c"]),
        ["filters.categories: a", 'filters.categories: b"; \\', "filters.brands: c"],
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("surface", ["home", "category", "search", "cart"])
def test_where_the_catalogue_knows_none_of_the_names_the_list_is_empty_and_says_why(served, feature_row, name, surface) -> None:
    filters, ignored = UNKNOWN[name]
    answer = recommend(make_path(served, feature_row), served, user_id="U1", surface=surface, item_ids=["I000007"], filters=filters)
    assert (answer.ignored, answer.recommendations, answer.degraded) == (ignored, [], [])


def test_unknown_names_are_named_and_the_known_ones_apply(served, feature_row) -> None:
    path = make_path(served, feature_row)
    mixed = recommend(path, served, user_id="U1", filters=Filters(categories=["nowhere", "GROCERY"], brands=["Brand 3", "none"]))
    assert mixed.ignored == ["filters.categories: nowhere", "filters.brands: none"]
    known = recommend(path, served, user_id="U1", filters=Filters(categories=["GROCERY"], brands=["Brand 3"]))
    assert items_of(mixed) == items_of(known) != []
    assert known.ignored == []


def test_unknown_preferences_are_named_and_the_known_ones_are_heard(served, feature_row) -> None:
    (known, *_) = served.categories.codes_by_name
    stated = Preferences(categories=[known, "nowhere"], brands=["none", "none"])
    mixed = recommend(make_path(served, feature_row), served, preferences=stated, k=20)
    assert mixed.ignored == ["preferences.categories: nowhere", "preferences.brands: none"]
    assert "preferences" in {item.source for item in mixed.recommendations}


@pytest.mark.parametrize("empty", [Filters(categories=[]), Filters(brands=[]), Filters(categories=[], brands=[], new_to_user=False)])
@pytest.mark.parametrize("surface", ["home", "category", "cart"])
def test_an_empty_list_is_no_filter(served, feature_row, empty, surface) -> None:
    path = make_path(served, feature_row)
    answer = recommend(path, served, user_id="U1", surface=surface, item_ids=["I000007"], filters=empty)
    assert answer.ignored == []
    assert items_of(answer) == items_of(recommend(path, served, user_id="U1", surface=surface, item_ids=["I000007"])) != []


def test_without_consent_and_without_prices_both_filters_are_named(feature_row) -> None:
    served = catalogue_without("price")
    asked = {"filters": Filters(price_max=5, new_to_user=True), "consent": Consent(personalisation=False)}
    answer = recommend(make_path(served, feature_row), served, user_id="U1", **asked)
    assert answer.ignored == ["filters.price_max", "filters.new_to_user"]
    assert len(answer.recommendations) == 10


def test_all_protocols_and_cached_answers_name_it(feature_row) -> None:
    served = catalogue_without("price")
    instance = Instance(filters=Filters(price_max=5))
    answer = recommend(make_path(served, feature_row), served, filters=Filters(price_max=5))
    assert orjson.loads(answer_json(answer))["ignored"] == ["filters.price_max"]
    shared = SharedAnswers([instance], [answer])
    assert orjson.loads(shared.body("again", 1.0))["predictions"][0]["ignored"] == ["filters.price_max"]
    assert shared.given_to("again", 1.0)[0].ignored == ["filters.price_max"]


@given(
    columns=st.sets(st.sampled_from(sorted(WITHOUT))),
    filters=st.builds(
        Filters,
        categories=st.none() | st.just(["GROCERY"]),
        brands=st.none() | st.just(["Brand 3", "Brand 8"]),
        price_min=st.none() | st.just(0.5),
        price_max=st.none() | st.floats(3, 25),
    ),
)
@examples(20)
def test_what_is_named_is_exactly_what_the_catalogue_cannot_answer(feature_row, columns, filters) -> None:
    served = catalogue_without(*columns)
    of_column = {"category_path": ["categories"], "brand": ["brands"], "price": ["price_min", "price_max"]}
    cannot = {name for column in columns for name in of_column[column] if getattr(filters, name) is not None}
    answer = recommend(make_path(served, feature_row), served, user_id="U1", filters=filters)
    assert set(answer.ignored) == {f"filters.{name}" for name in cannot}
    kept = filters.model_copy(update=dict.fromkeys(cannot))
    table = served.tables.items
    index = np.array([table.ids.code(item) for item in items_of(answer)])
    if kept.price_max is not None and len(index):
        assert (table.price[index] <= kept.price_max).all()
    if kept.brands is not None and len(index):
        assert set(table.brand_code[index].tolist()) <= set(table.brands.codes(kept.brands).tolist())
    if cannot and not any(getattr(kept, name) is not None for name in Filters.model_fields if name != "new_to_user"):
        assert len(answer.recommendations) == 10
