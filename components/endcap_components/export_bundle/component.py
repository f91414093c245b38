"""Pipeline component: the bundle, one folder that is served and rolled back as one."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def export_bundle(
    *,
    training: Input[Dataset],
    tables: Input[Dataset],
    two_tower: Input[Model],
    ranker: Input[Model],
    evaluation: Input[Dataset],
    quotas: dict,  # type: ignore[type-arg]
    run_id: str,
    uncompared: str,
    batching: dict,  # type: ignore[type-arg]
    precision: str,
    bundle: Output[Model],
) -> str:
    """Write the bundle; returns its version.

    `precision` is the type that the models' weights are stored in; `uncompared` says why the gate did not compare with the champion.
    """
    import os
    from pathlib import Path

    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    from endcap.core.clock import system_clock
    from endcap.core.settings import load_settings
    from endcap_components.export_bundle.batching import Batching
    from endcap_components.export_bundle.precision import Precision
    from endcap_components.export_bundle.step import ExportInputs, export_bundle_step

    inputs = ExportInputs(
        training=Path(training.path),
        tables=Path(tables.path),
        two_tower=Path(two_tower.path),
        ranker=Path(ranker.path),
        evaluation=Path(evaluation.path),
        quotas=quotas,
        run_id=run_id,
        batching=Batching.of(batching),
        precision=Precision.of(precision),
        uncompared=uncompared,
    )
    made = export_bundle_step(inputs, Path(bundle.path), load_settings(), system_clock)
    bundle.metadata["version"] = str(made.manifest.version)
    bundle.metadata["precision"] = precision
    bundle.metadata["collection"] = made.manifest.collection
    return str(made.manifest.version)
