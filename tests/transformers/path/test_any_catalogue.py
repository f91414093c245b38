"""The request path over catalogues and tables of every kind: it answers, with every stage, and is never short of an eligible item."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.contracts.request import Context, Preferences, Surface
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_book import RuleBook
from endcap.release.bundle.tables import read_tables, write_tables
from endcap_transformer.telemetry.rule_counts import RuleCounts
from tests.properties import examples
from tests.transformers.path.made_catalogues import feature_row, item_rows, made_tables, served
from tests.transformers.path.test_request_path import Model, items_of, make_path, recommend

IDS = [f"i{number}" for number in range(8)]
RULES = [
    {"id": "brands", "cap": {"most": 1, "by": "brand"}},
    {"id": "kinds", "cap": {"most": 1, "by": "category_3"}},
    {"id": "own", "where": "brand == 'Own'", "minimum_share": {"share": 0.9}},
    {"id": "cheap", "where": "price < 5", "boost": {"factor": 2}},
    {"id": "fresh", "where": "age_days < 30", "reserve": {"positions": [1, 3]}},
    {"id": "pinned", "where": "item_id == 'i1'", "pin": {"position": 2}},
    {"id": "everything", "where": "available", "minimum_share": {"share": 1.0}},
]
some_ids = st.lists(st.sampled_from([*IDS, "gone"]), max_size=4, unique=True)


@given(
    tables=made_tables(),
    user=st.sampled_from(["U1", "nobody", None]),
    bought=some_ids,
    surface=st.sampled_from(list(Surface)),
    item_ids=some_ids,
    k=st.integers(1, 10),
    rules=st.lists(st.sampled_from(RULES), max_size=3, unique_by=lambda rule: rule["id"]),
    model_fails=st.sampled_from([(), ("rank",), ("encode_query", "rank")]),
    exploring=st.booleans(),
)
@examples(60)
def test_every_stage_answers_and_no_eligible_item_is_missing(  # noqa: PLR0917
    tables, user, bought, surface, item_ids, k, rules, model_fails, exploring
) -> None:
    bundle = served(tables)
    if rules:
        book = RuleBook.compile(RuleFile.model_validate({"version": 1, "rules": rules}), bundle.tables.items, bundle.clock)
        bundle = replace(bundle, rules=book, rule_counts=RuleCounts(book.rules))
    if surface.startswith("product"):
        item_ids = item_ids or [IDS[0]]
    path = make_path(bundle, feature_row(bought), model=Model(bundle, fails=model_fails), exploring=exploring)
    asked = {"preferences": Preferences(categories=["Food"], brands=["Own"]), "context": Context(geo="north", device="tablet")}
    answer = recommend(path, bundle, user_id=user, surface=surface, item_ids=item_ids, k=k, explain=True, **asked)
    assert set(answer.degraded) <= set(model_fails) | {"query", "rank"}
    assert bool(answer.degraded) <= bool(model_fails)
    items = bundle.tables.items
    in_stock = {items.ids.name(int(index)) for index in np.flatnonzero(items.available)}
    given_in_stock = in_stock & set(item_ids)
    allowed = given_in_stock if surface is Surface.SEARCH and given_in_stock else in_stock - set(item_ids)
    if surface is Surface.SEARCH and not given_in_stock:
        allowed = in_stock
    shown = items_of(answer)
    assert set(shown) <= allowed
    assert len(set(shown)) == len(shown) == min(k, len(allowed))
    assert all(np.isfinite(item.score) for item in answer.recommendations)


@given(item_rows().flatmap(lambda rows: st.tuples(st.just(rows), made_tables(rows))), st.booleans())
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tables_of_every_kind_answer_the_same_when_they_were_stored(tmp_path_factory, made, memory_map) -> None:
    rows, tables = made
    folder = tmp_path_factory.mktemp("bundle")
    write_tables(folder, tables, rows)
    lists = []
    for bundle in (served(tables), served(read_tables(folder, memory_map))):
        path = make_path(bundle, feature_row(IDS[:2]))
        for asked in ({"user_id": "U1"}, {"surface": "product", "item_ids": IDS[:1]}, {"context": Context(geo="north")}):
            answer = recommend(path, bundle, k=5, **asked)
            assert answer.degraded == []
            lists.append(items_of(answer))
    assert lists[:3] == lists[3:]
