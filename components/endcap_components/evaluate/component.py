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
    seed: int,
    evaluation: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
) -> None:
    """Judge all models and baselines, with intervals, segments, calibration and a report."""
    from pathlib import Path

    from endcap.core.settings import RetrievalSettings
    from endcap_components.evaluate.step import Artifacts, evaluate_step
    from endcap_components.kfp_step import log_metrics

    folders = Artifacts(Path(training.path), Path(tables.path), Path(two_tower.path), Path(ranker.path))
    result = evaluate_step(folders, Path(evaluation.path), Path(report.path), RetrievalSettings(**quotas), seed)
    log_metrics(metrics, result.flat())
