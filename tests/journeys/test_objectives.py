"""What people view and cart is predicted, served and ordered by: from a shop's events to lists whose value combines objectives."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from endcap.contracts.answer import Answer
from endcap.contracts.evaluation import Evaluation
from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.core.settings import ServingSettings, Settings
from endcap.engine.ranking.value import JOINED_VALUE
from endcap.features.columns import OBJECTIVES
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.tables import read_tables
from endcap.training.scoring import load_signature
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.served_order import OrderLimits
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from tests.journeys.shops import Line, shoppers, write_dataset
from tests.journeys.test_every_shape import RANKER, exported, judged, run_steps
from tests.transformers.path.test_request_path import ExactIndex, Store, items_of, make_path, recommend

pytestmark = [pytest.mark.training, pytest.mark.timeout(600)]

SOMEBODY = "u001"
NETWORK = RANKER.model_copy(update={"kind": "network"})
"""The kind of ranker that tells objectives apart: a blend has one order for all of them."""


def browsing_shoppers() -> list[Line]:
    """Receipts, before each line a view and often a cart addition, and in the same visits views and carts of what is not bought."""
    rng = np.random.default_rng(17)
    lines = []
    for line in shoppers(users=40, weeks=16, seed=17):
        before = replace(line, kind="product_view", at=line.at - timedelta(minutes=20))
        other = replace(before, item=f"i{(int(line.item[1:]) + 4 * int(rng.integers(1, 10))) % 40:03}")
        lines += [line, before, other]
        if rng.random() < 0.6:
            lines.append(replace(before, kind="add_to_cart", at=line.at - timedelta(minutes=10)))
        if rng.random() < 0.3:
            lines.append(replace(other, kind="add_to_cart", at=line.at - timedelta(minutes=5)))
    return lines


class BundleModel:
    """The signatures of a bundle's own SavedModel, asked as the model server is."""

    def __init__(self, bundle: Bundle) -> None:
        self._signatures = {name: load_signature(bundle.path, name) for name in (ENCODE_QUERY, RANK)}

    async def predict(self, signature: str, version: int, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        import tensorflow as tf

        outputs = self._signatures[signature](**{name: tf.constant(values) for name, values in inputs.items()})
        return {name: values.numpy() for name, values in outputs.items()}


@dataclass(frozen=True)
class Trained:
    """A bundle, and what asks it as a transformer does."""

    bundle: Bundle
    evaluation: Evaluation
    report: str
    model: BundleModel
    row: dict[str, Any]

    def served(self, surfaces: Path | None = None) -> ServedBundle:
        manifest = self.bundle.manifest
        settings = Settings(replay_at=manifest.data_end, serving=ServingSettings(surfaces_file=surfaces))
        return served_from(manifest, read_tables(self.bundle.path), settings)

    def asked(self, folder: Path, value: dict[str, float]) -> Answer:
        """A list of somebody whose surface has this value and nothing else that orders."""
        surfaces = folder / "surfaces.yaml"
        stated = ", ".join(f"{name}: {exponent}" for name, exponent in value.items())
        surfaces.write_text(
            "version: 1\nsurfaces:\n  home:\n    sources: {popular: {}, item_to_item: {}, buy_again: {}, two_tower: {}}\n"
            f"    value: {{{stated}}}\n    exploration: {{share: 0}}\n"
        )
        served = self.served(surfaces)
        store = Store({SOMEBODY: {"user": self.row, "session": None}})
        path = make_path(served, {}, model=self.model, index=ExactIndex(served), surfaces=surfaces, store=store)
        answer = recommend(path, served, user_id=SOMEBODY, k=15, explain=True)
        assert (answer.degraded, answer.ignored) == ([], [])
        return answer


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Everything from the events to the bundle; the ranker orders, however good it is after so short a training."""
    folder = tmp_path_factory.mktemp("objectives")
    made = run_steps(write_dataset(folder / "shop", browsing_shoppers()), folder / "run", NETWORK)
    evaluation = judged(made, OrderLimits(min_lift=-1.0, min_recall_lift=-1.0))
    bundle = exported(made)
    training = TrainingSet(made.folder / "training")
    rows = training.user_rows_at(training.manifest.data_end).filter(user_id=SOMEBODY)
    report = (made.folder / "report.html").read_text(encoding="utf-8")
    return Trained(bundle, evaluation, report, BundleModel(bundle), rows.row(0, named=True))


def test_manifest_report_and_evaluation_list_carts_and_views(trained: Trained) -> None:
    manifest = trained.bundle.manifest
    assert tuple(manifest.objectives) == OBJECTIVES == tuple(trained.evaluation.objectives)
    assert set(manifest.signals) == set(trained.evaluation.signals) == {"purchase", "add_to_cart", "product_view"}
    assert manifest.eligible_by == trained.evaluation.eligible_by == "interactions"
    assert manifest.value == JOINED_VALUE
    assert trained.evaluation.shown is not None and trained.evaluation.shown.value == JOINED_VALUE
    assert manifest.learned_from in trained.report
    assert "predicts buy, buy again, cart, view" in manifest.learned_from
    assert set(trained.evaluation.reliability) == set(OBJECTIVES)


def test_served_rank_gives_a_probability_an_objective(trained: Trained, tmp_path: Path) -> None:
    answer = trained.asked(tmp_path, {"buy": 1.0})
    for item in answer.recommendations:
        told = (item.explanation or {})["objectives"]
        assert set(told) == set(OBJECTIVES)
        assert all(0 < chance < 1 for chance in told.values())


@pytest.mark.parametrize("value", [{"view": 1.0}, {"buy": 1.0}, {"buy": 1.0, "cart": 0.5, "view": 0.25}, {"cart": 1.0, "view": -0.5}])
def test_a_surface_orders_by_what_its_value_combines(trained: Trained, tmp_path: Path, value: dict[str, float]) -> None:
    answer = trained.asked(tmp_path, value)
    explained = [item.explanation or {} for item in answer.recommendations]
    assert all(each["value"] == value for each in explained)
    products = [math.prod(each["objectives"][name] ** exponent for name, exponent in value.items()) for each in explained]
    assert [item.score for item in answer.recommendations] == pytest.approx(products, rel=1e-3)
    assert products == pytest.approx(sorted(products, reverse=True), rel=1e-3)


def test_other_exponents_make_other_lists(trained: Trained, tmp_path: Path) -> None:
    values = ({"buy": 1.0}, {"view": 1.0}, {"cart": 1.0, "view": -0.5})
    lists = [tuple(items_of(trained.asked(tmp_path, value))) for value in values]
    assert len(set(lists)) == len(values)
