"""Everything that is made from the chart's sources: its files, the schema of the values, the kustomize tree."""

import shutil

from kustomize_tree import write_tree
from values_comments import CHART
from values_schema import SCHEMA, schema_text

from endcap.release.rollout.definition import definition_text
from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.values import ChartValues

MONITORING = CHART.parents[1] / "monitoring"
FILES = CHART / "files"


def copied_files() -> list[str]:
    """Names of the monitoring files that the chart carries: alert rules and dashboards."""
    return sorted(path.name for path in MONITORING.iterdir() if path.suffix in {".yaml", ".json"})


if __name__ == "__main__":
    for name in copied_files():
        shutil.copyfile(MONITORING / name, FILES / name)
    (FILES / "rollouts.endcap.dev.yaml").write_text(definition_text(), encoding="utf-8")
    compile_pipeline(FILES / "endcap-training.yaml", ChartValues())
    SCHEMA.write_text(schema_text())
    write_tree()
