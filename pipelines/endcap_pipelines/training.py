"""The training pipeline: from a dataset to a bundle that is served, or refused with a reason."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset

from endcap.algorithms.registry import DEFAULT_ALGORITHM
from endcap.core.settings import RetrievalSettings
from endcap_components.build_features.component import build_features
from endcap_components.build_tables.component import build_tables
from endcap_components.build_training_set.component import build_training_set
from endcap_components.deploy_bundle.component import deploy_bundle
from endcap_components.distil_ranker.component import distil_ranker
from endcap_components.evaluate.component import evaluate
from endcap_components.export_bundle.component import export_bundle
from endcap_components.gate.component import gate
from endcap_components.index_bundle.component import index_bundle
from endcap_components.materialize_features.component import materialize_features
from endcap_components.preflight.component import preflight
from endcap_components.publish_features.component import publish_features
from endcap_components.train_ranker.component import train_ranker
from endcap_components.train_two_tower.component import train_two_tower
from endcap_components.validate_data.component import validate_data
from endcap_pipelines.placement import DATA, LIGHT, TRAINING, Placement

PIPELINE_NAME = "endcap-training"
DATA_DIR = "/var/lib/endcap/data"
"""Where steps find the dataset when nothing else is said."""


class TrainingOutputs(NamedTuple):
    """What a run leaves for whoever started it."""

    plan: Dataset
    evaluation: Dataset
    report: HTML
    accepted: bool
    reason: str


def training_pipeline(placement: Placement) -> Any:
    """The pipeline's definition, the same for kfp.local and a cluster.

    Args:
        placement: where steps run and how often they are tried; changes no result.

    `test_weeks`, `ranking_windows` and `min_buyers` of the pipeline are 0 for whatever fits the data; `signals` is `{}` for the defaults.
    """
    every_quota = RetrievalSettings().model_dump()

    @dsl.pipeline(name=PIPELINE_NAME, description="Features, two-tower, ranker, evaluation, gate, bundle and index")
    def endcap_training(  # noqa: PLR0917 - a parameter of the pipeline each
        data_dir: str = DATA_DIR,
        fingerprint: str = "",
        quotas: dict = every_quota,  # type: ignore[type-arg]
        test_weeks: int = 0,
        ranking_windows: int = 0,
        min_buyers: int = 0,
        signals: dict = {},  # type: ignore[type-arg]  # noqa: B006 - compiled into the definition, never shared
        two_tower: dict = {},  # type: ignore[type-arg]  # noqa: B006
        ranker: dict = {},  # type: ignore[type-arg]  # noqa: B006
        item_to_item: dict = dict(DEFAULT_ALGORITHM),  # type: ignore[type-arg]  # noqa: B006
        ease: dict = {},  # type: ignore[type-arg]  # noqa: B006
        popularity_days: int = 28,
        distil: dict = {},  # type: ignore[type-arg]  # noqa: B006
        batching: dict = {},  # type: ignore[type-arg]  # noqa: B006
        precision: str = "float32",
        seed: int = 20_171_204,
        min_gain: float = -0.005,
        min_lift: float = 0.0,
        min_recall_lift: float = 0.0,
        accept_uncompared: bool = False,
        home: dict = {},  # type: ignore[type-arg]  # noqa: B006
    ) -> TrainingOutputs:
        late = {"distil": distil, "precision": precision, "item_to_item": item_to_item, "popularity_days": popularity_days}
        late |= {"two_tower": two_tower, "ranker": ranker, "quotas": quotas, "batching": batching, "home": home, "ease": ease}
        first = preflight(data_dir=data_dir, fingerprint=fingerprint, signals=signals, **late)
        expected = placement.effect(first, LIGHT).output
        requested = {"test_weeks": test_weeks, "ranking_windows": ranking_windows, "min_buyers": min_buyers, "signals": signals}
        judged_data = validate_data(data_dir=data_dir, fingerprint=expected, two_tower=two_tower, **requested)
        validated = placement.store_step(judged_data, DATA)
        dataset, plan = validated.outputs["dataset"], validated.outputs["plan"]
        built = placement.step(build_features(dataset=dataset, plan=plan), DATA)
        features = built.outputs["features"]
        published = placement.effect(publish_features(features=features), LIGHT).output
        joined = build_training_set(dataset=dataset, features=features, published=published, plan=plan)
        training = placement.store_step(joined, DATA).outputs["training"]
        counted_by = {"item_to_item": item_to_item, "ease": ease, "popularity_days": popularity_days}
        counted = build_tables(dataset=dataset, training=training, **counted_by, seed=seed)
        tables = placement.step(counted, DATA).outputs["tables"]
        asked = {"two_tower": two_tower, "ranker": ranker, "distil": distil}
        models = _models(training, tables, asked, quotas=quotas, seed=seed, placement=placement)
        chosen_by = {"home": home, "min_lift": min_lift, "min_recall_lift": min_recall_lift}
        judged = placement.step(evaluate(**models, quotas=quotas, **chosen_by, seed=seed), TRAINING).outputs
        judgement = gate(
            training=training,
            tables=tables,
            evaluation=judged["evaluation"],
            report=judged["report"],
            two_tower_parameters=two_tower,
            ranker_parameters=ranker,
            distil_parameters=distil,
            item_to_item_parameters=item_to_item,
            ease_parameters=ease,
            precision=precision,
            min_gain=min_gain,
            accept_uncompared=accept_uncompared,
        )
        decided = placement.effect(judgement, TRAINING).outputs
        with dsl.If(decided["Output"] == True, name="accepted"):  # noqa: E712 - compiled into a condition
            judged_by = {"evaluation": judged["evaluation"], "run_id": decided["run_id"], "uncompared": decided["uncompared"]}
            made = export_bundle(**models, **judged_by, quotas=quotas, batching=batching, precision=precision)
            _release(placement.step(made, TRAINING).outputs["bundle"], published, placement)
        return TrainingOutputs(plan, judged["evaluation"], decided["judged_report"], decided["Output"], decided["reason"])

    return endcap_training


def _models(
    training: Any, tables: Any, hyperparameters: Mapping[str, Any], *, quotas: Any, seed: Any, placement: Placement
) -> dict[str, Any]:
    """The artifacts that evaluation and export take, by the names of their inputs; the ranker is the student where one is asked for."""
    encoder = placement.training(train_two_tower(training=training, hyperparameters=hyperparameters["two_tower"], seed=seed))
    made = {"training": training, "tables": tables, "two_tower": encoder.outputs["two_tower"]}
    ranked = placement.training(train_ranker(**made, quotas=quotas, hyperparameters=hyperparameters["ranker"], seed=seed))
    teacher = ranked.outputs["ranker"]
    served = distil_ranker(**made, teacher=teacher, quotas=quotas, hyperparameters=hyperparameters["distil"], seed=seed)
    return {**made, "ranker": placement.step(served, TRAINING).outputs["ranker"]}


def _release(bundle: Any, published: Any, placement: Placement) -> None:
    """Index, fill the online store, then serve: a bundle takes requests only when all it asks is there."""
    collection = placement.effect(index_bundle(bundle=bundle), DATA).outputs["Output"]
    filled = placement.effect(materialize_features(published=published, collection=collection), DATA)
    placement.effect(deploy_bundle(bundle=bundle, collection=collection, features_until=filled.output), LIGHT)
