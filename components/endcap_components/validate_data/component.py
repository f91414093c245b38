"""Pipeline component: a dataset that fits its contracts."""

from kfp import dsl
from kfp.dsl import Dataset, Metrics, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def validate_data(data_dir: str, fingerprint: str, dataset: Output[Dataset], metrics: Output[Metrics]) -> None:
    """Take a dataset into the pipeline if it fits its contracts and is the one that was asked for."""
    from pathlib import Path

    from endcap_components.kfp_step import log_metrics
    from endcap_components.validate_data.step import validate_data_step

    taken = validate_data_step(Path(data_dir), fingerprint, Path(dataset.path))
    dataset.metadata["fingerprint"] = taken.fingerprint
    counts = {f"rows_{table}": float(rows) for table, rows in taken.rows.items()}
    log_metrics(metrics, counts)
