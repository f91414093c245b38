"""Everything that is made from the chart's sources: schema and table of the values, copied monitoring files, the kustomize tree."""

import shutil

from kustomize_tree import write_tree
from values_comments import CHART
from values_schema import SCHEMA, schema_text
from values_table import README, readme_with_table

MONITORING = CHART.parents[1] / "monitoring"


def copied_files() -> list[str]:
    """Names of the monitoring files that the chart carries: alert rules and dashboards."""
    return sorted(path.name for path in MONITORING.iterdir() if path.suffix in {".yaml", ".json"})


if __name__ == "__main__":
    for name in copied_files():
        shutil.copyfile(MONITORING / name, CHART / "files" / name)
    SCHEMA.write_text(schema_text())
    README.write_text(readme_with_table(README.read_text()))
    write_tree()
