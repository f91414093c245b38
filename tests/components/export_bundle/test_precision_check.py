"""A precision is judged on real users before it is served, and refused where it costs too much."""

from pathlib import Path

import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

from endcap.contracts.evaluation import Ordering  # noqa: E402
from endcap.core.errors import BundleRefused  # noqa: E402
from endcap.evaluation.ranked_lists import ScoredPairs  # noqa: E402
from endcap.evaluation.user_items import UserItems  # noqa: E402
from endcap_components.evaluate.model_scores import RankedCandidates  # noqa: E402
from endcap_components.evaluate.step import Artifacts  # noqa: E402
from endcap_components.export_bundle.precision import Precision  # noqa: E402
from endcap_components.export_bundle.precision_check import PrecisionCost, PrecisionLimits, precision_cost  # noqa: E402
from endcap_components.export_bundle.saved_model import BY_RANKER, export_saved_model  # noqa: E402
from tests.endcap.training.made_artifacts import QUOTAS, ranker_dir, tables_dir, training_dir, two_tower_dir  # noqa: E402

pytestmark = pytest.mark.training


def ranked(probability: list[float]) -> RankedCandidates:
    """One user's candidates 1, 2, 3 and so on."""
    count = len(probability)
    pairs = UserItems(np.zeros(count, np.int64), np.arange(1, count + 1, dtype=np.int32), 1)
    values = np.array(probability, np.float32)
    return RankedCandidates(ScoredPairs(pairs, values.astype(np.float64)), {"buy": values}, {})


TRUTH = UserItems(np.zeros(1, np.int64), np.array([1], np.int32), 1)


def test_the_cost_is_what_lists_and_probabilities_lose() -> None:
    full = ranked([0.9, *[0.5 - 0.01 * place for place in range(11)]])
    cost = PrecisionCost.of(full, ranked([0.0, *[0.5 - 0.01 * place for place in range(11)]]), TRUTH)
    assert cost.ndcg_loss == pytest.approx(1.0)
    assert cost.overlap == pytest.approx(0.9)
    assert cost.probability_shift == pytest.approx(0.9 / float(np.sum(full.probabilities["buy"])), rel=1e-5)
    assert PrecisionCost.of(full, full, TRUTH) == PrecisionCost(0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (PrecisionCost(0.004, 1.0, 0.0), r"NDCG@10 falls by 0\.0040 \(at most 0\.002\)"),
        (PrecisionCost(0.0, 0.8, 0.0), r"lists keep 0\.800 of their items"),
        (PrecisionCost(0.0, 1.0, 0.2), r"probabilities move by 0\.200"),
        (PrecisionCost(float("nan"), 1.0, 0.0), "NDCG@10 falls by nan"),
    ],
)
def test_what_costs_too_much_is_refused_with_its_figure(cost: PrecisionCost, told: str) -> None:
    with pytest.raises(BundleRefused, match=told):
        cost.demand(Precision.INT8, PrecisionLimits())


def test_what_costs_little_holds() -> None:
    cost, limits = PrecisionCost(0.002, 0.9, 0.05), PrecisionLimits()
    cost.demand(Precision.INT8, limits)
    assert (cost.ndcg_loss, cost.overlap, cost.probability_shift) == (
        limits.ndcg_loss_max,
        limits.overlap_min,
        limits.probability_shift_max,
    )


def test_an_exported_model_is_judged_by_the_users_of_its_run(tmp_path: Path) -> None:
    trained = Artifacts(training_dir(), tables_dir(), two_tower_dir(), ranker_dir())
    models = (trained.two_tower / "saved_model", trained.ranker / "saved_model")
    export_saved_model(*models, "endcap_7", tmp_path / "small", precision=Precision.FLOAT16)
    cost = precision_cost(tmp_path / "small", trained, QUOTAS, BY_RANKER)
    assert cost.probability_shift > 0
    cost.demand(Precision.FLOAT16, PrecisionLimits())
    with pytest.raises(BundleRefused):
        cost.demand(Precision.FLOAT16, PrecisionLimits(probability_shift_max=0.0))


def test_a_method_has_no_weights_that_a_precision_could_cost(tmp_path: Path) -> None:
    trained = Artifacts(training_dir(), tables_dir(), two_tower_dir(), ranker_dir())
    by_method = Ordering(ordered_by="own_decayed", reason="", uses_two_tower=False)
    models = (trained.two_tower / "saved_model", trained.ranker / "saved_model")
    export_saved_model(*models, "endcap_7", tmp_path / "small", precision=Precision.INT8, ordering=by_method)
    assert precision_cost(tmp_path / "small", trained, QUOTAS, by_method) == PrecisionCost(0.0, 1.0, 0.0)
