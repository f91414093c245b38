"""Pipeline component: the ranker."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def train_ranker(
    *,
    training: Input[Dataset],
    tables: Input[Dataset],
    two_tower: Input[Model],
    quotas: dict,  # type: ignore[type-arg]
    hyperparameters: dict,  # type: ignore[type-arg]
    seed: int,
    ranker: Output[Model],
    metrics: Output[Metrics],
) -> None:
    """Train the ranker on what retrieval returns; `quotas` are fields of RetrievalSettings, `hyperparameters` of RankerHyperparameters."""
    from pathlib import Path

    from endcap.core.settings import RetrievalSettings
    from endcap_components.kfp_step import log_metrics
    from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
    from endcap_components.train_ranker.step import train_ranker as train

    parameters = RankerHyperparameters.of(hyperparameters)
    logged = train(
        Path(training.path),
        Path(tables.path),
        Path(two_tower.path),
        Path(ranker.path),
        parameters=parameters,
        quotas=RetrievalSettings(**quotas),
        seed=seed,
    )
    ranker.metadata.update(parameters.model_dump(mode="json"))
    log_metrics(metrics, logged)
