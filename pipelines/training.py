"""The training pipeline: from a dataset to a bundle that is served, or refused with a reason."""

from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset

from components.build_features.component import build_features
from components.build_tables.component import build_tables
from components.build_training_set.component import build_training_set
from components.deploy_bundle.component import deploy_bundle
from components.evaluate.component import evaluate
from components.export_bundle.component import export_bundle
from components.gate.component import gate
from components.index_bundle.component import index_bundle
from components.materialize_features.component import materialize_features
from components.publish_features.component import publish_features
from components.train_ranker.component import train_ranker
from components.train_two_tower.component import train_two_tower
from components.validate_data.component import validate_data
from pipelines.resources import DATA, LIGHT, TRAINING, GpuPool, StepResources, request, request_gpus

PIPELINE_NAME = "endcap-training"


class TrainingOutputs(NamedTuple):
    """What a run leaves for whoever started it."""

    evaluation: Dataset
    report: HTML
    accepted: bool
    reason: str


def training_pipeline(gpus: GpuPool | None = None) -> Any:
    """The pipeline's definition, the same for kfp.local and a cluster.

    Steps that change something outside their own outputs (publish, index, materialize, deploy) are never answered from a cache.

    Args:
        gpus: where the two training steps find GPUs; None for CPUs.
    """
    pool = gpus or GpuPool()

    @dsl.pipeline(name=PIPELINE_NAME, description="Features, two-tower, ranker, evaluation, gate, bundle and index")
    def endcap_training(  # noqa: PLR0917 - a parameter of the pipeline each
        data_dir: str,
        fingerprint: str,
        quotas: dict,  # type: ignore[type-arg]
        test_weeks: int = 4,
        ranking_windows: int = 3,
        min_buyers: int = 5,
        two_tower: dict = {},  # type: ignore[type-arg]  # noqa: B006 - compiled into the definition, never shared
        ranker: dict = {},  # type: ignore[type-arg]  # noqa: B006
        seed: int = 20_171_204,
        min_gain: float = -0.005,
        min_lift: float = 0.0,
        min_recall_lift: float = 0.0,
    ) -> TrainingOutputs:
        validated = _step(validate_data(data_dir=data_dir, fingerprint=fingerprint), DATA)
        dataset = validated.outputs["dataset"]
        built = _step(build_features(dataset=dataset, test_weeks=test_weeks, ranking_windows=ranking_windows), DATA)
        features = built.outputs["features"]
        published = _effect(publish_features(features=features), LIGHT)
        joined = _step(build_training_set(dataset=dataset, features=features, published=published.output, min_buyers=min_buyers), DATA)
        training = joined.outputs["training"]
        tables = _step(build_tables(dataset=dataset, training=training), DATA).outputs["tables"]
        towers = _step(train_two_tower(training=training, hyperparameters=two_tower, seed=seed), TRAINING)
        ranked = _step(
            train_ranker(
                training=training,
                tables=tables,
                two_tower=towers.outputs["two_tower"],
                quotas=quotas,
                hyperparameters=ranker,
                seed=seed,
            ),
            TRAINING,
        )
        for task in (towers, ranked):
            request_gpus(task, pool)
        models = {"training": training, "tables": tables, "two_tower": towers.outputs["two_tower"], "ranker": ranked.outputs["ranker"]}
        judged = _step(evaluate(**models, quotas=quotas, seed=seed), TRAINING)
        judgement = gate(
            evaluation=judged.outputs["evaluation"],
            report=judged.outputs["report"],
            two_tower_parameters=two_tower,
            ranker_parameters=ranker,
            min_gain=min_gain,
            min_lift=min_lift,
            min_recall_lift=min_recall_lift,
        )
        decided = _effect(judgement, LIGHT)
        with dsl.If(decided.outputs["Output"] == True, name="accepted"):  # noqa: E712 - compiled into a condition
            made = export_bundle(**models, evaluation=judged.outputs["evaluation"], quotas=quotas, run_id=decided.outputs["run_id"])
            bundle = _step(made, TRAINING).outputs["bundle"]
            indexed = _effect(index_bundle(bundle=bundle), DATA)
            collection = indexed.outputs["Output"]
            filled = _effect(materialize_features(published=published.output, collection=collection), DATA)
            _effect(deploy_bundle(bundle=bundle, collection=collection, features_until=filled.output), LIGHT)
        return TrainingOutputs(
            evaluation=judged.outputs["evaluation"],
            report=judged.outputs["report"],
            accepted=decided.outputs["Output"],
            reason=decided.outputs["reason"],
        )

    return endcap_training


def _step(task: Any, resources: StepResources) -> Any:
    """A step whose outputs depend on its inputs only: cached, and tried again when its node fails."""
    request(task, resources)
    return task.set_caching_options(True).set_retry(num_retries=1)


def _effect(task: Any, resources: StepResources) -> Any:
    """A step that looks at or changes the world outside: run each time."""
    request(task, resources)
    return task.set_caching_options(False)
