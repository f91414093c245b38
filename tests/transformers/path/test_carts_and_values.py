"""The cart as of the request, and what a surface's value means to a bundle that was not trained for all of it."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from endcap.contracts.bundle import BundleManifest
from endcap.core.settings import ServingSettings, Settings
from endcap.engine.surfaces.surface import Surface
from endcap.release.bundle.manifest import present_feature_columns
from endcap_benchmarks.synthetic.bundle import make_tables, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from endcap_transformer.path.features import state_of
from endcap_transformer.path.reasons import BY_SOURCE
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.path.sources.registry import left_in_cart
from endcap_transformer.path.sources.source import SourceRequest
from tests.transformers.path.test_request_path import IDS, SIZE, Model, make_path, recommend


def cart_of(served: ServedBundle, row: dict[str, Any]) -> list[str]:
    """What the source finds for somebody with these features."""
    request = cast(
        "ResolvedRequest", SimpleNamespace(served=served, now=served.clock(), is_page=False, items=[], viewed=[], session_id=None)
    )
    eligible = SimpleNamespace(of=lambda index: index > 0)
    found = left_in_cart(cast("SourceRequest", SimpleNamespace(state=state_of(row, request), eligible=eligible)), 10)
    return [served.tables.items.ids.name(int(index)) for index in found.index]


def home_with(folder: Path, value: str) -> Path:
    """A surfaces file whose only surface, home, states a value."""
    path = folder / "surfaces.yaml"
    path.write_text(f"version: 1\nsurfaces:\n  home:\n    sources: {{popular: {{}}}}\n    value: {value}\n")
    return path


def visit(served: ServedBundle, *events: tuple[str, str]) -> dict[str, list[Any]]:
    """A visit's features, its last event a minute ago."""
    now_s = int(served.clock().timestamp())
    return {
        "session_item_ids": [item for item, _ in events],
        "session_event_types": [kind for _, kind in events],
        "session_occurred_at": [now_s - 60 * (len(events) - place) for place in range(len(events))],
    }


def test_the_cart_is_that_of_the_features_as_this_visit_left_it(served: ServedBundle, feature_row: dict[str, Any]) -> None:
    carted_s = int((served.clock() - timedelta(days=3)).timestamp())
    lists = {
        "signal_item_ids": [IDS[5], IDS[6]],
        "signal_views": [1.0, 1.0],
        "signal_last_viewed_at": [carted_s, carted_s],
        "signal_carts": [1.0, 1.0],
        "signal_in_cart_at": [carted_s, carted_s - 60],
        "signal_rated_low": [0.0, 0.0],
    }
    row = {"user": feature_row | lists, "session": None}
    assert cart_of(served, row) == [IDS[5], IDS[6]]
    events = [(IDS[7], "add_to_cart"), (IDS[5], "purchase")]
    assert cart_of(served, row | {"session": visit(served, *events)}) == [IDS[7], IDS[6]]


def test_a_visit_of_nobody_known_has_a_cart(served: ServedBundle) -> None:
    events = [(IDS[7], "add_to_cart"), (IDS[8], "add_to_cart"), (IDS[7], "remove_from_cart"), ("never heard of", "add_to_cart")]
    assert cart_of(served, {"user": None, "session": visit(served, *events)}) == [IDS[8]]


def test_the_source_has_a_reason_of_its_own() -> None:
    assert BY_SOURCE["left_in_cart"] == "Still in your cart"


@pytest.mark.parametrize(
    ("stated", "used"), [(None, {"buy": 1.0}), ({"buy": 1.0, "view": 0.5}, {"buy": 1.0}), ({"view": 1.0}, {"buy": 1.0})]
)
def test_a_value_is_of_objectives_that_the_bundle_has(
    served: ServedBundle, stated: dict[str, float] | None, used: dict[str, float]
) -> None:
    assert served.value_of(Surface(sources={"popular": {}}, value=stated)) == used


@pytest.mark.parametrize(
    ("value", "ignored"),
    [("{buy: 1}", []), ("{buy: 1, view: 0.5, margin: 0.2, cart: 0.1}", ["value.view", "value.cart"]), ("{buy: 1, view: 0}", [])],
)
def test_an_answer_names_the_objectives_of_its_value_that_are_not_trained(
    served: ServedBundle, feature_row: dict[str, Any], tmp_path: Path, value: str, ignored: list[str]
) -> None:
    path = make_path(served, feature_row, surfaces=home_with(tmp_path, value))
    listed = recommend(path, served, user_id="U1", k=5, item_ids=["never heard of"], explain=True)
    assert listed.ignored == ["never heard of", *ignored]
    assert listed.degraded == []
    assert all("view" not in (item.explanation or {})["value"] for item in listed.recommendations)


def test_an_explanation_says_what_taught_what_is_predicted_and_the_value(served: ServedBundle, feature_row: dict[str, Any]) -> None:
    listed = recommend(make_path(served, feature_row), served, user_id="U1", k=5, explain=True)
    explained = [item.explanation or {} for item in listed.recommendations]
    assert {each["models"] for each in explained} == {served.manifest.learned_from}
    assert all(each["value"] == {"buy": 1.0} and each["objectives"].keys() == {"buy", "buy_again"} for each in explained)
    unranked = recommend(make_path(served, feature_row, model=Model(served, fails=("rank",))), served, user_id="U1", k=5, explain=True)
    assert all("value" not in (item.explanation or {}) for item in unranked.recommendations)


def test_what_a_bundle_was_not_trained_for_is_said_once_when_it_is_loaded(tmp_path: Path) -> None:
    path = home_with(tmp_path, "{buy: 1, view: 0.5, margin: 0.1}")
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    with capture_logs() as lines:
        served_from(manifest, make_tables(SIZE), Settings(replay_at=manifest.data_end, serving=ServingSettings(surfaces_file=path)))
    (warning,) = (line for line in lines if line["log_level"] == "warning")
    assert (warning["surface"], warning["ignored"]) == ("home", ["view"])
