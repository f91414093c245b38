"""The step train_ranker: retrieval as of each ranking window, fit, calibrate, export."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endcap.contracts.training_plan import RANKER
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.core.settings import RetrievalSettings
from endcap.engine.ranking.value import default_value
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import VISIT_NDCG, TwoTowerArtifact
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap.training.training_set import TrainingSet
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters

if TYPE_CHECKING:
    from endcap_components.train_ranker.calibration import PlattScaling

MANIFEST_NAME = "ranker.json"


def train_ranker(
    training_dir: Path,
    tables_dir: Path,
    two_tower_dir: Path,
    out_dir: Path,
    *,
    parameters: RankerHyperparameters,
    quotas: RetrievalSettings,
    seed: int,
) -> dict[str, float]:
    """Train a ranker and write its artifact: `saved_model/`, `ranker.json`; where the plan leaves it out, the order of summed scores.

    Args:
        training_dir: a training set.
        tables_dir: the tables built from it.
        two_tower_dir: the two-tower trained on it.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        parameters: hyperparameters.
        quotas: candidates a source and in all, as in serving.
        seed: of everything random.

    Returns:
        Metrics by name.
    """
    prepare_tensorflow(seed)
    from endcap_components.train_ranker.choice import fit_model
    from endcap_components.train_ranker.examples import ranking_examples
    from endcap_components.train_ranker.export import ServedRanker, export_ranker
    from endcap_components.train_ranker.negatives import KeptShares

    training, two_tower = TrainingSet(training_dir), TwoTowerArtifact(two_tower_dir)
    if training.manifest.untrained(RANKER) is not None:
        return _write_untrained(two_tower, out_dir)
    if training.manifest.ranks_visits:
        return _write_of_visits(training, TablesArtifact(tables_dir), two_tower, out_dir, quotas=quotas, seed=seed)
    examples = ranking_examples(
        training,
        TablesArtifact(tables_dir),
        two_tower,
        quotas,
        queries_max=parameters.queries_max,
        kept=KeptShares(parameters.bought_share, parameters.new_share),
        held_out_share=parameters.held_out_share,
        seed=seed,
    )
    category_sizes = [len(training.user_vocabularies[name]) for name in USER_CATEGORICAL]
    plan = training.manifest.plan
    is_next_item = plan is not None and plan.objective == "next_item"
    model, calibration, metrics = fit_model(examples, category_sizes, parameters, is_next_item=is_next_item, seed=seed)
    served = ServedRanker(model, calibration, two_tower.item_embeddings_at(training.manifest.cut))
    with replacing_folder(out_dir) as aside:
        export_ranker(served, aside / "saved_model")
        described = {"hyperparameters": parameters.model_dump(), "quotas": quotas.model_dump(), "seed": seed, "metrics": metrics}
        _describe(aside, described, examples.happened, calibration)
    get_logger("train_ranker").info("ranker trained", **metrics)
    return metrics


def _write_of_visits(
    training: TrainingSet,
    tables: TablesArtifact,
    two_tower: TwoTowerArtifact,
    out_dir: Path,
    *,
    quotas: RetrievalSettings,
    seed: int,
) -> dict[str, float]:
    from endcap_components.train_ranker.export import ServedRanker, export_ranker
    from endcap_components.train_ranker.visit_examples import visit_examples
    from endcap_components.train_ranker.visit_ranker import fit_visit_ranker

    examples = visit_examples(training, tables, two_tower, quotas, seed=seed)
    fitted = fit_visit_ranker(examples, seed)
    with replacing_folder(out_dir) as aside:
        served = ServedRanker(fitted.model, fitted.calibration, two_tower.item_embeddings_at(training.manifest.cut))
        export_ranker(served, aside / "saved_model")
        described = {"quotas": quotas.model_dump(), "seed": seed, "metrics": dict(fitted.metrics)}
        described[VISIT_NDCG] = {name: values.round(5).tolist() for name, values in fitted.ndcg.items()}
        _describe(aside, described, examples.happened, fitted.calibration)
    get_logger("train_ranker").info("ranker of visits trained", **fitted.metrics)
    return dict(fitted.metrics)


def _describe(folder: Path, described: Mapping[str, Any], happened: Mapping[str, int], calibration: Mapping[str, "PlattScaling"]) -> None:
    of_objectives = {"objectives": dict(happened), "value": default_value(happened)}
    of_objectives["calibration"] = {name: asdict(scaling) for name, scaling in calibration.items()}
    (folder / MANIFEST_NAME).write_text(json.dumps({**described, **of_objectives}, indent=1), encoding="utf-8")


def _write_untrained(two_tower: TwoTowerArtifact, out_dir: Path) -> dict[str, float]:
    from endcap_components.train_ranker.untrained import WEIGHTS, export_untrained_ranker

    with replacing_folder(out_dir) as aside:
        export_untrained_ranker(two_tower.item_embeddings.shape[1], str(aside / "saved_model"))
        (aside / MANIFEST_NAME).write_text(json.dumps({"untrained": WEIGHTS}, indent=1), encoding="utf-8")
    return {"candidates": 0.0}
