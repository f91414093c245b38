"""Pipeline component: every model and baseline on the weeks after the cut."""

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def evaluate(
    *,
    training: Input[Dataset],
    tables: Input[Dataset],
    two_tower: Input[Model],
    ranker: Input[Model],
    quotas: dict,  # type: ignore[type-arg]
    home: dict,  # type: ignore[type-arg]
    min_lift: float,
    min_recall_lift: float,
    seed: int,
    evaluation: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
) -> None:
    """Judge all models and baselines, choose what orders the list, and write a report.

    `home` is the surface whose list is judged as it is shown, as a surfaces file has it; `{}` is the one that endcap ships with.
    """
    from pathlib import Path

    from endcap.core.settings import RetrievalSettings
    from endcap.evaluation.as_shown import home_surface
    from endcap_components.evaluate.served_order import OrderLimits
    from endcap_components.evaluate.step import Artifacts, JudgedBy, evaluate_step
    from endcap_components.kfp_step import log_metrics

    folders = Artifacts(Path(training.path), Path(tables.path), Path(two_tower.path), Path(ranker.path))
    judged_by = JudgedBy(RetrievalSettings(**quotas), OrderLimits(min_lift, min_recall_lift), home_surface(home), seed)
    result = evaluate_step(folders, Path(evaluation.path), Path(report.path), judged_by)
    log_metrics(metrics, result.flat())
