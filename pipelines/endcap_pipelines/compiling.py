"""The pipeline as YAML, for the dashboard of a Kubeflow Pipelines server and for the chart."""

from pathlib import Path
from tempfile import TemporaryDirectory

from endcap.core.errors import InvalidInput
from endcap.core.files import replace_text
from endcap_pipelines.options import check_item_to_item
from endcap_pipelines.placement import ClusterPlacement
from endcap_pipelines.training import training_pipeline
from endcap_pipelines.values import ChartValues

HEADER = "# Made by `endcap pipeline compile`; change pipelines/ instead.\n"


def compile_pipeline(target: Path, values: ChartValues) -> Path:
    """Write the compiled pipeline, the same bytes for the same values; an existing file is replaced once the new one is whole.

    Args:
        target: the YAML file: the pipeline, and its Kubernetes settings as a second document.
        values: what steps ask of the cluster.

    Raises:
        InvalidInput: the values give a parameter that the pipeline does not have, or a method that makes no item-to-item table.
    """
    from kfp.compiler import Compiler

    check_item_to_item(values.pipelines.parameters)
    defaults = {"data_dir": values.pipelines.data_dir, **values.pipelines.parameters}
    with TemporaryDirectory() as folder:
        compiled = Path(folder) / "pipeline.yaml"
        try:
            Compiler().compile(training_pipeline(ClusterPlacement(values=values)), str(compiled), pipeline_parameters=defaults)
        except (TypeError, ValueError) as error:
            told = f"the pipeline does not take them: {error}"
            raise InvalidInput(told, field="pipelines.parameters", value=values.pipelines.parameters, fix="correct the values") from error
        replace_text(target, HEADER + _without_comments(compiled.read_text(encoding="utf-8")))
    return target


def _without_comments(text: str) -> str:
    """Without the compiler's summary at the top, which lists the keys of a default in another order each time."""
    lines = text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "".join(lines[first:])
