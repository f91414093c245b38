"""The step distil_ranker: a small student in the place of the trained ranker, or the ranker as it is."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from endcap.contracts.training_plan import RANKER
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.core.settings import RetrievalSettings
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap.training.training_set import TrainingSet
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.train_ranker.step import MANIFEST_NAME


@dataclass(frozen=True)
class Taught:
    """Folders that the step reads: what the teacher learned from, and the teacher."""

    training: Path
    tables: Path
    two_tower: Path
    teacher: Path


def distil_ranker(
    taught: Taught, out_dir: Path, *, parameters: DistillationHyperparameters | None, quotas: RetrievalSettings, seed: int
) -> dict[str, float]:
    """Write a ranker's artifact, `saved_model/` and `ranker.json`: the student's, or a copy of the teacher's.

    Args:
        taught: of the run.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        parameters: hyperparameters; None for no distillation. What was not trained teaches nothing and is handed on, as is a blend of
            visits, which is small already.
        quotas: candidates a source and in all, as in serving.
        seed: the teacher's.

    Returns:
        Metrics by name; none without distillation.

    Raises:
        DataRejected: the teacher is no trained ranker.
    """
    with replacing_folder(out_dir) as aside:
        manifest = TrainingSet(taught.training).manifest
        if parameters is None or manifest.ranks_visits or manifest.untrained(RANKER) is not None:
            shutil.copytree(taught.teacher, aside, dirs_exist_ok=True)
            metrics = {}
        else:
            metrics = _write_student(taught, aside, parameters, quotas, seed)
    return metrics


def _write_student(
    taught: Taught, folder: Path, parameters: DistillationHyperparameters, quotas: RetrievalSettings, seed: int
) -> dict[str, float]:
    prepare_tensorflow(seed)
    from endcap_components.distil_ranker.student import fit_student
    from endcap_components.distil_ranker.teacher import Teacher
    from endcap_components.train_ranker.examples import ranking_examples
    from endcap_components.train_ranker.export import ServedRanker, export_ranker

    training, two_tower, teacher = TrainingSet(taught.training), TwoTowerArtifact(taught.two_tower), Teacher(taught.teacher)
    # Every candidate is kept: the teacher has something to say about each.
    examples = ranking_examples(
        training,
        TablesArtifact(taught.tables),
        two_tower,
        quotas,
        queries_max=parameters.queries_max,
        held_out_share=parameters.held_out_share,
        objectives=teacher.objectives,
        seed=seed,
    )
    teacher_logits = teacher.logits(examples)
    category_sizes = [len(training.user_vocabularies[name]) for name in USER_CATEGORICAL]
    student, calibration, metrics = fit_student(examples, teacher_logits, category_sizes, parameters, seed)
    export_ranker(ServedRanker(student, calibration, two_tower.item_embeddings_at(training.manifest.cut)), folder / "saved_model")
    described = taught.teacher / MANIFEST_NAME
    known = json.loads(described.read_bytes()) if described.is_file() else {}
    description = {
        "hyperparameters": parameters.model_dump(),
        "quotas": quotas.model_dump(),
        "seed": seed,
        "calibration": {name: asdict(scaling) for name, scaling in calibration.items()},
        "metrics": metrics,
        "teacher": known or None,
        **{name: known[name] for name in ("objectives", "value") if name in known},
    }
    (folder / MANIFEST_NAME).write_text(json.dumps(description, indent=1), encoding="utf-8")
    get_logger("distil_ranker").info("student trained", **metrics)
    return metrics
