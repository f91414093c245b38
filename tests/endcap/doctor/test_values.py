"""Values come together as Helm puts them, and wrong ones are refused with their place."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from endcap.core.errors import InvalidInput
from endcap.doctor.values import Values, merge_values, read_chart
from tests.charts.chart import program
from tests.endcap.doctor.made_cluster import CHART, ROOT, chart

LATER = {"hooks.enabled", "parts", "parts.namespace", "pipelines.schedule.by", "serving.knative.podSecurityContext"}
"""Values that not every version of the chart has."""
PRINTED = """{{- toYaml .Values }}
"""


def _merged(tmp_path: Path, *documents: object) -> Values:
    return merge_values(chart(), _files(tmp_path, *documents))


def _files(tmp_path: Path, *documents: object) -> list[Path]:
    files = []
    for number, document in enumerate(documents):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(yaml.safe_dump(document))
    return files


def test_maps_merge_and_lists_and_scalars_are_replaced(tmp_path: Path) -> None:
    first = {"serving": {"replicas": {"min": 3}}, "route": {"hostnames": ["a.example", "b.example"]}}
    values = _merged(tmp_path, first, {"serving": {"replicas": {"max": 7}}, "route": {"hostnames": ["c.example"]}})
    assert values["serving.replicas"] == {"min": 3, "max": 7}
    assert values["route.hostnames"] == ["c.example"]
    assert values["redis.port"] == 6379


def test_a_null_takes_a_default_away_and_a_later_file_gives_it_back(tmp_path: Path) -> None:
    assert _merged(tmp_path, {"serving": {"podDisruptionBudget": None}})["serving.podDisruptionBudget.enabled"] is None
    again = _merged(tmp_path, {"kafka": {"version": None}}, {"kafka": {"version": "4.1.0"}})
    assert again["kafka.version"] == "4.1.0"


@pytest.mark.processes
def test_helm_merges_the_same(tmp_path: Path) -> None:
    first = {"serving": {"affinity": {"nodeAffinity": {"a": 1}}, "replicas": {"min": 3}, "nodeSelector": None, "podDisruptionBudget": None}}
    second = {"serving": {"affinity": {"podAffinity": {"b": [1]}}}, "settings": {"env": {"ENDCAP_X": "1"}}, "kafka": {"topics": None}}
    files = _files(tmp_path, first, second)
    plain = tmp_path / "plain"
    (plain / "templates").mkdir(parents=True)
    for name in ("Chart.yaml", "values.yaml", "values.schema.json"):
        (plain / name).write_text((CHART / name).read_text())
    (plain / "templates" / "values.yaml").write_text(PRINTED)
    command = [program("helm"), "template", "endcap", str(plain), *(f"--values={file}" for file in files)]
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=True)
    assert yaml.safe_load(done.stdout.partition("Source:")[2].partition("\n")[2]) == merge_values(chart(), files).document


def test_a_value_that_the_schema_refuses_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"serving\.deploymentMode: 'Raw' is not one of"):
        _merged(tmp_path, {"serving": {"deploymentMode": "Raw"}})
    with pytest.raises(InvalidInput, match="milvos"):
        _merged(tmp_path, {"milvos": {"host": "x"}})


def test_files_that_are_no_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="absent"):
        merge_values(chart(), [tmp_path / "absent.yaml"])
    with pytest.raises(InvalidInput, match="a map of names"):
        _merged(tmp_path, ["a list"])


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert _merged(tmp_path, None).document == _merged(tmp_path).document


def test_a_folder_without_a_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--chart"):
        read_chart(tmp_path)


def test_every_value_the_doctor_reads_is_in_the_chart() -> None:
    source = "".join(path.read_text() for path in (ROOT / "endcap" / "doctor").rglob("*.py"))
    names = set(re.findall(r'values\["([A-Za-z.]+)"\]', source)) - LATER
    known = Values(chart().values)
    assert len(names) > 60
    assert [name for name in sorted(names) if name.rpartition(".")[2] not in _parent(known, name)] == []


def _parent(values: Values, name: str) -> dict[str, object]:
    above = name.rpartition(".")[0]
    return dict((values[above] if above else values.document) or {})


@pytest.mark.processes
def test_the_command_says_that_there_is_no_chart_beside_it(tmp_path: Path) -> None:
    program_text = "from endcap.cli.doctor import doctor; import typer; a = typer.Typer(); a.command()(doctor); a(standalone_mode=False)"
    command = [sys.executable, "-c", program_text, "--namespace", "shop"]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "--chart: there is no chart that can be read" in done.stderr
