"""Pipeline component: a small student of the ranker."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def distil_ranker(
    *,
    training: Input[Dataset],
    tables: Input[Dataset],
    two_tower: Input[Model],
    teacher: Input[Model],
    quotas: dict,  # type: ignore[type-arg]
    hyperparameters: dict,  # type: ignore[type-arg]
    seed: int,
    ranker: Output[Model],
    metrics: Output[Metrics],
) -> None:
    """Train a student of the ranker; `hyperparameters` are fields of DistillationHyperparameters, `{}` hands the ranker on as it is."""
    from pathlib import Path

    from endcap.core.settings import RetrievalSettings
    from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
    from endcap_components.distil_ranker.step import Taught
    from endcap_components.distil_ranker.step import distil_ranker as distil
    from endcap_components.kfp_step import log_metrics

    parameters = DistillationHyperparameters.of(hyperparameters)
    folders = Taught(*(Path(each.path) for each in (training, tables, two_tower, teacher)))
    logged = distil(folders, Path(ranker.path), parameters=parameters, quotas=RetrievalSettings(**quotas), seed=seed)
    ranker.metadata.update(parameters.model_dump(mode="json") if parameters else teacher.metadata)
    log_metrics(metrics, logged)
