"""The pipeline as YAML, for the dashboard of a Kubeflow Pipelines server."""

from pathlib import Path

from pipelines.resources import GpuPool, Placement
from pipelines.training import training_pipeline


def compile_pipeline(target: Path, gpus: GpuPool | None = None) -> Path:
    """Write the compiled pipeline; an existing file is replaced once the new one is whole.

    Args:
        target: the YAML file.
        gpus: see `training_pipeline`.
    """
    from kfp.compiler import Compiler

    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.stem}.aside.yaml")
    Compiler().compile(training_pipeline(Placement(gpus or GpuPool())), str(aside))
    return aside.replace(target)
