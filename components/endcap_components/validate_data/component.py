"""Pipeline component: a dataset that fits its contracts, and what can be trained on it."""

from kfp import dsl
from kfp.dsl import Dataset, Metrics, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def validate_data(
    *,
    data_dir: str,
    fingerprint: str,
    test_weeks: int,
    ranking_windows: int,
    min_buyers: int,
    two_tower: dict,  # type: ignore[type-arg]
    signals: dict,  # type: ignore[type-arg]
    dataset: Output[Dataset],
    plan: Output[Dataset],
    metrics: Output[Metrics],
) -> None:
    """Take a dataset into the pipeline if it fits its contracts, is the one that was asked for and can be learned from.

    `test_weeks`, `ranking_windows` and `min_buyers` are 0 for whatever fits the data, `two_tower` are fields of TwoTowerHyperparameters,
    and `signals` is `{}` for the defaults.
    """
    from pathlib import Path

    from endcap.training.planning.plan_table import show_plan
    from endcap.training.planning.planning import Requested
    from endcap.training.signals_file import signals_of
    from endcap_components.kfp_step import log_metrics
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.validate_data.step import validate_data_step

    requested = Requested(test_weeks, ranking_windows, min_buyers, signals_of(signals))
    asked = TwoTowerHyperparameters.of(two_tower)
    done = validate_data_step(Path(data_dir), fingerprint, Path(dataset.path), Path(plan.path), requested, asked)
    dataset.metadata["fingerprint"] = done.dataset.fingerprint
    plan.metadata["left_out"] = done.plan.left_out()
    show_plan(done.plan)
    counts = {f"rows_{table}": float(rows) for table, rows in done.dataset.rows.items()}
    log_metrics(metrics, counts)
