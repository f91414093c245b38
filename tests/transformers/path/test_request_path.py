"""The request path in one process: a dictionary for the feature store, arrays for Milvus and the model server."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from endcap.contracts.request import Filters, Instance, Surface
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import ServingSettings, Settings
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.surfaces.surface import SurfaceExploration
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_items
from endcap_transformer.path.features import FeatureReader
from endcap_transformer.path.request_path import ListPurpose, RequestPath
from endcap_transformer.server.server import path_parts
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.properties import examples

SIZE = SyntheticSize(items=300, dim=8, neighbours=10)
IDS = [f"I{number:06d}" for number in range(300)]


class Store:
    def __init__(self, rows) -> None:
        self.rows = rows

    def read(self, user_id, session_id):
        if user_id == "broken":
            raise OSError("no such table")
        return self.rows.get(user_id) or self.rows.get(session_id)


class ExactIndex:
    def __init__(self, served, fails=False) -> None:
        self.embeddings = served.tables.item_embeddings
        self.fails = fails

    def check(self, collection) -> None: ...

    async def search(self, collection, embedding, limit, *, where, timeout_ms):
        if self.fails:
            raise DependencyUnavailable("Milvus is away")
        index = np.arange(1, len(self.embeddings), dtype=np.int32)
        return Candidates.best(index, self.embeddings[1:] @ embedding, limit)


class Model:
    """Probability grows with the decayed count; `late` never answers, `fails` names signatures that fail."""

    def __init__(self, served, fails=(), late=()) -> None:
        self.dim, self.fails, self.late = served.manifest.embedding_dim, fails, late
        self.calls: list[tuple[str, int]] = []

    async def predict(self, signature, version, inputs):
        self.calls.append((signature, version))
        if signature in self.fails:
            raise DependencyUnavailable("UNAVAILABLE")
        if signature in self.late:
            await asyncio.sleep(60)
        if signature == "encode_query":
            embedding = np.ones((1, self.dim), np.float32) / np.sqrt(np.float32(self.dim))
            return {"embedding": embedding, "collection": np.array([b"endcap_1"], dtype=object)}
        buy = 0.01 + 0.5 * np.clip(inputs["pair_numeric"][:, 7], 0, 1)
        return {"buy": buy.astype(np.float32), "buy_again": (buy / 2).astype(np.float32)}


class ListedImpressions:
    def __init__(self) -> None:
        self.batches: list = []

    def emit(self, batch) -> None:
        self.batches.append(batch)


def make_path(served, feature_row, *, model=None, index=None, limits=None, surfaces=None, exploring=False, store=None) -> RequestPath:
    generous = {"request_budget_ms": 20_000, "features_timeout_ms": 5_000, "retrieval_timeout_ms": 5_000, "rank_timeout_ms": 5_000}
    chosen = Settings(serving=ServingSettings(**(generous | (limits or {})), surfaces_file=surfaces))
    rows = {"U1": {"user": feature_row, "session": None}, "S1": {"user": None, "session": {"session_item_ids": [IDS[100]]}}}
    metrics = ServingMetrics(CollectorRegistry())
    features = FeatureReader(store or Store(rows), chosen, metrics)
    parts = path_parts(chosen, features, index or ExactIndex(served), model or Model(served), ListedImpressions(), metrics)
    if not exploring:
        parts = replace(parts, plans={name: without_exploration(plan) for name, plan in parts.plans.items()})
    return RequestPath(parts)


def without_exploration(plan):
    return replace(plan, surface=plan.surface.model_copy(update={"exploration": SurfaceExploration(share=0)}))


def recommend(path, served, **fields):
    instance = Instance(**fields)
    (plan,) = path.plans([instance])
    return asyncio.run(path.recommend(instance, plan, served, "r"))


def items_of(answer) -> list[str]:
    return [item.item_id for item in answer.recommendations]


def test_sources_are_mixed_for_a_known_user(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, user_id="U1", k=200)
    assert {item.source for item in answer.recommendations} >= {"two_tower", "item_to_item", "buy_again", "popular"}
    assert answer.degraded == []


def test_the_version_of_the_bundle_is_asked_for(served, feature_row) -> None:
    model = Model(served)
    recommend(make_path(served, feature_row, model=model), served, user_id="U1")
    assert model.calls == [("encode_query", 1), ("rank", 1)]


@pytest.mark.parametrize(
    ("model_fields", "degraded"),
    [
        ({"fails": ("rank",)}, ["rank"]),
        ({"late": ("rank",)}, ["rank"]),
        ({"fails": ("encode_query",)}, ["query", "rank"]),
        ({"late": ("encode_query",)}, ["query", "rank"]),
    ],
)
def test_model_server_trouble_is_named_and_answered(served, feature_row, model_fields, degraded) -> None:
    late = model_fields.get("late", ())
    limits = ({"rank_timeout_ms": 50} if "rank" in late else {}) | ({"retrieval_timeout_ms": 200} if "encode_query" in late else {})
    path = make_path(served, feature_row, model=Model(served, **model_fields), limits=limits)
    for surface in Surface:
        answer = recommend(path, served, user_id="U1", surface=surface, item_ids=[IDS[3], IDS[4]], k=5)
        assert answer.degraded == degraded
        assert answer.recommendations


def test_milvus_trouble_leaves_the_sources_in_memory(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row, index=ExactIndex(served, fails=True)), served, user_id="U1", k=50)
    assert answer.degraded == ["two_tower"]
    assert {item.source for item in answer.recommendations} <= {"item_to_item", "buy_again", "popular", "trending"}


def test_feature_store_trouble_counts_as_an_unknown_user(served, feature_row) -> None:
    path = make_path(served, feature_row)
    broken, unknown = recommend(path, served, user_id="broken"), recommend(path, served, user_id="nobody")
    assert broken.degraded == ["features"]
    assert unknown.degraded == []
    assert items_of(broken) == items_of(unknown)


def test_unknown_user_gets_what_is_popular(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, user_id="nobody", k=5)
    popular = served.tables.popularity.candidates([], 300).index
    head = [int(index) for index in popular if served.tables.items.available[index]][:30]
    assert set(items_of(answer)) <= {served.tables.items.ids.name(index) for index in head}
    assert {item.source for item in answer.recommendations} <= {"popular", "trending"}


def test_session_items_seed_an_anonymous_list(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, session_id="S1", k=100)
    title = served.tables.items.title_of(101)
    assert f"Goes with {title}" in {item.reason for item in answer.recommendations}


def test_answers_name_the_variant_of_the_deployment(served, feature_row) -> None:
    assert recommend(make_path(served, feature_row), served, user_id="u").variant == "default"
    of_variant = replace(served, variant="new-ranker")
    assert recommend(make_path(of_variant, feature_row), of_variant, user_id="u").variant == "new-ranker"


def test_answers_say_what_orders_them_and_a_two_tower_that_is_left_out_brings_nothing_but_what_is_near_a_page(served, feature_row) -> None:
    manifest = served.manifest.model_copy(update={"ordered_by": "own_decayed", "uses_two_tower": False})
    without = replace(served, manifest=manifest)
    path = make_path(without, feature_row, exploring=False)
    answer = recommend(path, without, user_id="U1", k=50, explain=True)
    assert (answer.ordered_by, answer.degraded) == ("own_decayed", [])
    assert not any("two_tower" in each.explanation["sources"] for each in answer.recommendations)
    page = recommend(path, without, user_id="U1", surface="product_similar", item_ids=["I000007"], k=10, explain=True)
    assert any("two_tower" in each.explanation["sources"] for each in page.recommendations)
    assert recommend(make_path(served, feature_row), served, user_id="U1").ordered_by == "ranker"


def test_nothing_bought_before_is_shown_to_those_who_want_new(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, user_id="U1", k=100, filters=Filters(new_to_user=True))
    assert not set(items_of(answer)) & set(feature_row["pair_item_ids"])
    assert len(answer.recommendations) == 100


def test_staples_do_not_take_over_a_product_page(served, feature_row) -> None:
    answer = recommend(make_path(served, feature_row), served, user_id="U1", surface=Surface.PRODUCT, item_ids=[IDS[200]], k=3)
    tables = served.tables
    beside = np.concatenate([tables.item_to_item.index[201], tables.complements.index[201]])
    assert set(items_of(answer)) <= {tables.items.ids.name(int(index)) for index in beside}


def test_the_requests_own_time_wins(served, feature_row) -> None:
    later = datetime(2018, 1, 20, tzinfo=UTC)
    path = make_path(served, feature_row)
    now, then = (recommend(path, served, user_id="U1", context=context, k=50) for context in ({}, {"time": later}))
    assert items_of(now) != items_of(then) or [item.score for item in now.recommendations] != [item.score for item in then.recommendations]


def test_positions_rise_and_what_fills_the_list_scores_below_the_rest(served, feature_row) -> None:
    answer = recommend(
        make_path(served, feature_row), served, user_id="U1", surface="product_bought_together", item_ids=[IDS[0]], k=200, explain=True
    )
    scores = [item.score for item in answer.recommendations]
    filled = [place for place, item in enumerate(answer.recommendations) if item.explanation and "last_resort" in item.explanation]
    assert filled
    assert filled == list(range(filled[0], len(scores)))
    assert max(scores[filled[0] :]) < min(scores[: filled[0]])
    assert [item.position for item in answer.recommendations] == list(range(1, len(scores) + 1))
    assert len(set(items_of(answer))) == len(scores)


some_ids = st.lists(st.sampled_from([*IDS, "unknown"]), max_size=40, unique=True)
some_filters = st.builds(
    Filters,
    categories=st.none() | st.lists(st.sampled_from(["GROCERY", "MEAT aisle 3", "DRUG GM shelf 2", "nowhere"]), max_size=2),
    brands=st.none() | st.lists(st.sampled_from(["Brand 3", "Brand 40", "none"]), max_size=2),
    price_max=st.none() | st.floats(0, 25),
    new_to_user=st.booleans(),
)


@given(
    user=st.sampled_from(["U1", "nobody", "broken", None]),
    surface=st.sampled_from(list(Surface)),
    item_ids=some_ids,
    exclude=some_ids,
    filters=some_filters,
    k=st.integers(1, 60),
    model_fails=st.sampled_from([(), ("rank",), ("encode_query", "rank")]),
    index_fails=st.booleans(),
)
@examples(60)
def test_only_eligible_items_and_never_empty_while_there_is_one(  # noqa: PLR0917
    served, feature_row, user, surface, item_ids, exclude, filters, k, model_fails, index_fails
) -> None:
    if surface.startswith("product") and not item_ids:
        item_ids = [IDS[0]]
    path = make_path(served, feature_row, model=Model(served, fails=model_fails), index=ExactIndex(served, fails=index_fails))
    answer = recommend(path, served, user_id=user, surface=surface, item_ids=item_ids, exclude=exclude, filters=filters, k=k)
    shown = set(items_of(answer))
    eligible = eligible_ids(served, feature_row if user == "U1" else None, exclude, filters)
    given_and_eligible = eligible & set(item_ids)
    allowed = given_and_eligible if surface is Surface.SEARCH and given_and_eligible else eligible - set(item_ids)
    assert shown <= allowed
    assert len(shown) == len(answer.recommendations) == min(k, len(allowed))
    assert answer.ignored == [*(["unknown"] if "unknown" in [*item_ids, *exclude] else []), *unknown_names(filters)]


def unknown_names(filters) -> list[str]:
    """What `ignored` says of filters: no item at all has the name."""
    rows = make_items(SIZE).to_dicts()
    categories = {name for item in rows for name in item["category_path"]}
    brands = {item["brand"] for item in rows}
    return [
        *(f"filters.categories: {name}" for name in dict.fromkeys(filters.categories or ()) if name not in categories),
        *(f"filters.brands: {name}" for name in dict.fromkeys(filters.brands or ()) if name not in brands),
    ]


def eligible_ids(served, row, exclude, filters) -> set[str]:
    """The rule again, item by item."""
    rows = make_items(SIZE).to_dicts()
    bought = set(row["pair_item_ids"]) | set(row["history_item_ids"]) if row else set()
    return {
        item["item_id"]
        for item in rows
        if item["availability"] == "in_stock"
        and item["item_id"] not in exclude
        and (not filters.categories or any(name in item["category_path"] for name in filters.categories))
        and (not filters.brands or item["brand"] in filters.brands)
        and (filters.price_max is None or np.float32(item["price"]) <= filters.price_max)
        and not (filters.new_to_user and item["item_id"] in bought)
    }


@pytest.mark.parametrize("name", ["popular", "two_tower"])
def test_a_source_that_raises_costs_its_own_candidates_and_is_named(served, feature_row, name, monkeypatch) -> None:
    path = make_path(served, feature_row)
    source = next(each for plan in path._parts.plans.values() for each in plan.sources if each.name == name)

    def broken(*_):
        raise RuntimeError("anything")

    monkeypatch.setattr(type(source), "candidates", broken)
    answer = recommend(path, served, user_id="U1", k=50)
    assert name in answer.degraded and answer.recommendations


def test_a_list_without_a_place_calls_no_other_part_and_is_as_long_as_any(served, feature_row) -> None:
    class NoIndex(ExactIndex):
        async def search(self, *args, **kwargs):
            raise AssertionError("the index was asked")

    class NoStore:
        def read(self, user_id, session_id):
            raise AssertionError("the store was asked")

    model = Model(served)
    path = make_path(served, feature_row, model=model, index=NoIndex(served), store=NoStore())
    for fields in ({"user_id": "U1"}, {"session_id": "S9", "surface": "product", "item_ids": [IDS[7]]}, {"surface": "home"}):
        instance = Instance(k=20, **fields)
        made = asyncio.run(path.recommend(instance, path.plans([instance])[0], served, "r", purpose=ListPurpose.SPARE))
        assert len(made.recommendations) == 20
        assert made.degraded
        assert model.calls == []


def test_a_list_without_a_place_is_the_last_whole_one_of_the_person_and_says_nothing_about_the_limit(served, feature_row) -> None:
    path = make_path(served, feature_row, limits={"request_budget_ms": 20_000})
    instance = Instance(user_id="U1", k=10)
    (plan,) = path.plans([instance])
    whole = asyncio.run(path.recommend(instance, plan, served, "r"))
    before = path._parts.limit.usual_s
    again = asyncio.run(path.recommend(instance, plan, served, "r2", purpose=ListPurpose.SPARE))
    assert items_of(again) == items_of(whole)
    assert again.degraded == ["rank"]
    assert path._parts.limit.usual_s == before
