"""The last complete list of each person and place."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from endcap.contracts.request import Filters, Instance
from endcap.core.settings import CacheSettings
from endcap_transformer.resilience.stale_answers import ITEMS_KEPT, StaleAnswers, stale_key
from endcap_transformer.telemetry.metrics import ServingMetrics

LIST = np.arange(300, dtype=np.int32), np.linspace(1, 0, 300, dtype=np.float32)


class Now:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def make(now: Now, **fields) -> tuple[StaleAnswers, CollectorRegistry]:
    registry = CollectorRegistry()
    return StaleAnswers(CacheSettings(**fields), ServingMetrics(registry).cache("stale_answers"), now), registry


def test_the_last_list_is_recalled_until_it_is_too_old() -> None:
    now = Now()
    stale, registry = make(now, stale_seconds=60)
    key = stale_key(Instance(user_id="U1"), "endcap-1")
    assert stale.recall(key) is None
    stale.remember(key, *LIST)
    now.seconds = 59
    found = stale.recall(key)
    assert found is not None
    np.testing.assert_array_equal(found.item_index, LIST[0][:ITEMS_KEPT])
    np.testing.assert_array_equal(found.score, LIST[1][:ITEMS_KEPT])
    assert not np.shares_memory(found.item_index, LIST[0])
    now.seconds = 60
    assert stale.recall(key) is None
    counted = {
        outcome: registry.get_sample_value("endcap_cache_lookups_total", {"cache": "stale_answers", "outcome": outcome})
        for outcome in ("stale", "miss")
    }
    assert counted == {"stale": 1, "miss": 2}


def test_entries_are_bounded() -> None:
    stale, registry = make(Now(), stale_entries=3)
    keys = [stale_key(Instance(user_id=f"U{number}"), "endcap-1") for number in range(5)]
    for key in keys:
        stale.remember(key, *LIST)
    assert [stale.recall(key) is not None for key in keys] == [False, False, True, True, True]
    assert registry.get_sample_value("endcap_cache_entries", {"cache": "stale_answers"}) == 3


@pytest.mark.parametrize(
    "other",
    [
        Instance(user_id="U2", surface="cart", item_ids=["A"]),
        Instance(surface="cart", item_ids=["A"]),
        Instance(session_id="U1", surface="cart", item_ids=["A"]),
        Instance(user_id="U1", surface="home", item_ids=["A"]),
        Instance(user_id="U1", surface="cart", item_ids=["B"]),
        Instance(user_id="U1", surface="cart", item_ids=["A"], filters=Filters(brands=["X"])),
    ],
)
def test_another_person_place_or_filter_is_another_list(other: Instance) -> None:
    instance = Instance(user_id="U1", surface="cart", item_ids=["A"])
    assert stale_key(instance, "endcap-1") != stale_key(other, "endcap-1")


def test_another_bundle_numbers_items_otherwise() -> None:
    assert stale_key(Instance(), "endcap-1") != stale_key(Instance(), "endcap-2")


def test_length_session_and_exclusions_do_not_matter_to_a_known_user() -> None:
    full = Instance(user_id="U1", session_id="S9", k=20, exclude=["A"])
    assert stale_key(Instance(user_id="U1"), "endcap-1") == stale_key(full, "endcap-1")
