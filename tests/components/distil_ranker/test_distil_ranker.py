"""The step: an artifact in the ranker's layout, the student's or the teacher's own."""

import json
from pathlib import Path

import pytest

from endcap.contracts.signatures import RANK, RANK_INPUTS
from endcap.features.columns import PURCHASE_OBJECTIVES
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.distil_ranker.step import Taught, distil_ranker
from tests.endcap.training.made_artifacts import QUOTAS, SEED, ranker_dir, tables_dir, training_dir, two_tower_dir

pytestmark = pytest.mark.training


def made(out: Path, parameters: DistillationHyperparameters | None) -> dict[str, float]:
    taught = Taught(training_dir(), tables_dir(), two_tower_dir(), ranker_dir())
    return distil_ranker(taught, out, parameters=parameters, quotas=QUOTAS, seed=SEED)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_student_has_the_ranker_s_layout_and_signature(tmp_path: Path) -> None:
    import tensorflow as tf

    metrics = made(tmp_path / "ranker", DistillationHyperparameters(epochs=1, steps_min=150))
    described = json.loads((tmp_path / "ranker" / "ranker.json").read_text())
    teacher = json.loads((ranker_dir() / "ranker.json").read_text())
    assert described["teacher"] == teacher
    assert set(teacher) <= set(described)
    assert set(described["calibration"]) == set(PURCHASE_OBJECTIVES)
    assert metrics["agreement"] > 0.5
    signature = tf.saved_model.load(str(tmp_path / "ranker" / "saved_model")).signatures[RANK]
    assert set(signature.structured_input_signature[1]) == set(RANK_INPUTS)
    assert set(signature.structured_outputs) == set(PURCHASE_OBJECTIVES)


def test_without_distillation_the_ranker_goes_on_as_it_is(tmp_path: Path) -> None:
    assert made(tmp_path / "ranker", None) == {}
    assert files_of(tmp_path / "ranker") == files_of(ranker_dir())
