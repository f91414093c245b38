"""Pipeline component: the two-tower."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def train_two_tower(
    training: Input[Dataset],
    hyperparameters: dict,  # type: ignore[type-arg]
    seed: int,
    two_tower: Output[Model],
    metrics: Output[Metrics],
) -> None:
    """Train the two-tower; `hyperparameters` overrides defaults of TwoTowerHyperparameters by name."""
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap_components.kfp_step import log_metrics
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.step import train_two_tower as train

    parameters = TwoTowerHyperparameters.of(hyperparameters)
    logged = train(Path(training.path), Path(two_tower.path), parameters, seed, load_settings().training)
    two_tower.metadata.update(parameters.model_dump())
    log_metrics(metrics, logged)
