"""EASE as a source of answers: found where the bundle has its table, and as if it were not there where it has none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from endcap.contracts.answer import Answer
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.reasons import nearest_seed
from tests.transformers.path.test_request_path import IDS, SIZE, items_of, make_path, recommend


@pytest.fixture
def with_ease(served: ServedBundle) -> ServedBundle:
    """Each item speaks for the five that stand 150 to 154 places on, the first of them most; their other sources are far away."""
    index = (np.arange(SIZE.items + 1, dtype=np.int32)[:, None] + np.arange(149, 154, dtype=np.int32)) % SIZE.items + 1
    weight = np.tile(np.linspace(0.5, 0.1, 5, dtype=np.float16), (SIZE.items + 1, 1))
    index[0], weight[0] = 0, 0
    return replace(served, tables=replace(served.tables, ease=ItemToItem(index, weight)))


def brought(answer: Answer) -> set[str]:
    """Items that the source brought, by their explanations; what only fills a list has none."""
    return {each.item_id for each in answer.recommendations if each.explanation and "ease" in each.explanation.get("sources", ())}


def with_quota(served: ServedBundle, quota: int) -> ServedBundle:
    return replace(served, quotas=served.quotas.model_copy(update={"ease_quota": quota}))


def test_what_it_finds_follows_from_the_visit_with_a_reason(with_ease: ServedBundle, feature_row: dict[str, Any]) -> None:
    answer = recommend(make_path(with_ease, feature_row), with_ease, session_id="S1", k=200, explain=True)
    assert brought(answer) and brought(answer) <= set(IDS[250:255])
    reasons = {each.reason for each in answer.recommendations if each.source == "ease"}
    assert reasons <= {f"Goes with {with_ease.tables.items.title_of(101)}"}
    assert answer.degraded == []


def test_a_known_person_gets_what_all_items_say_but_what_was_bought(with_ease: ServedBundle, feature_row: dict[str, Any]) -> None:
    answer = recommend(make_path(with_ease, feature_row), with_ease, user_id="U1", k=300, explain=True)
    assert brought(answer)
    assert not brought(answer) & set(feature_row["pair_item_ids"])


@pytest.mark.parametrize("surface", ["product", "product_bought_together", "cart"])
def test_on_a_page_its_items_alone_speak(with_ease: ServedBundle, feature_row: dict[str, Any], surface: str) -> None:
    path = make_path(with_ease, feature_row)
    answer = recommend(path, with_ease, user_id="U1", surface=surface, item_ids=[IDS[20]], k=200, explain=True)
    assert brought(answer) and brought(answer) <= set(IDS[170:175])


@pytest.mark.parametrize("fields", [{"user_id": "U1"}, {"session_id": "S1"}, {"surface": "product", "item_ids": [IDS[20]]}])
def test_with_a_quota_of_zero_lists_are_those_of_a_bundle_without_the_table(
    served: ServedBundle, with_ease: ServedBundle, feature_row: dict[str, Any], fields: dict[str, Any]
) -> None:
    without, unused = served, with_quota(with_ease, 0)
    lists = [recommend(make_path(each, feature_row), each, k=50, explain=True, **fields) for each in (without, unused)]
    assert items_of(lists[0]) == items_of(lists[1])
    assert lists[0].degraded == lists[1].degraded == []
    assert not any(brought(answer) for answer in lists)


def test_its_reason_names_the_item_that_says_most(with_ease: ServedBundle) -> None:
    found = nearest_seed(np.array([201], np.int32), np.array([49, 51], np.int32), with_ease.tables.ease)
    assert found.tolist() == [51]
