"""Values files merge as Helm merges them, and what the schema does not know is refused by name."""

from pathlib import Path

import pytest
import yaml

from endcap.core.errors import InvalidInput
from endcap_pipelines.values import ChartValues, read_values

CHART_VALUES = Path(__file__).parents[2] / "charts" / "endcap" / "values.yaml"


def written(folder: Path, name: str, document: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


def test_without_files_the_values_are_the_chart_s_own() -> None:
    assert read_values([]) == ChartValues() == read_values([CHART_VALUES])


def test_later_files_win_by_key_and_replace_lists(tmp_path: Path) -> None:
    taint, other = {"key": "gpu", "operator": "Exists"}, {"key": "team", "value": "shop"}
    first = written(tmp_path, "a.yaml", {"pipelines": {"gpus": {"count": 1, "nodeSelector": {"a": "1"}, "tolerations": [taint]}}})
    second = written(tmp_path, "b.yaml", {"pipelines": {"gpus": {"nodeSelector": {"b": "2"}, "tolerations": [other]}}})
    gpus = read_values([first, second]).pipelines.gpus
    assert gpus.count == 1
    assert gpus.node_selector == {"a": "1", "b": "2"}
    assert [each.key for each in gpus.tolerations] == ["team"]


def test_null_takes_a_key_away(tmp_path: Path) -> None:
    first = written(tmp_path, "a.yaml", {"pipelines": {"gpus": {"nodeSelector": {"a": "1", "b": "2"}}}})
    second = written(tmp_path, "b.yaml", {"pipelines": {"gpus": {"nodeSelector": {"a": None}}}})
    assert read_values([first, second]).pipelines.gpus.node_selector == {"b": "2"}


def test_a_profile_lies_on_top_of_its_chart(tmp_path: Path) -> None:
    written(tmp_path, "chart/Chart.yaml", {"name": "endcap"})
    written(tmp_path, "chart/values.yaml", {"pipelines": {"experiment": "shop", "dataDir": "/chart"}})
    profile = written(tmp_path, "chart/profiles/gpu.yaml", {"pipelines": {"dataDir": "/profile"}})
    values = read_values([profile]).pipelines
    assert (values.experiment, values.data_dir) == ("shop", "/profile")


def test_sections_of_other_parts_are_left_to_the_chart(tmp_path: Path) -> None:
    assert read_values([written(tmp_path, "a.yaml", {"serving": {"replicas": 3}})]) == ChartValues()


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"gpu": {"count": 1}}, r"pipelines\.gpu: Extra inputs"),
        ({"gpus": {"count": -1}}, r"pipelines\.gpus\.count"),
        ({"image": {"digest": "latest"}}, r"pipelines\.image\.digest"),
        ({"volumes": [{"claimName": "data", "mountPath": "data"}]}, r"pipelines\.volumes\.0\.mountPath"),
        ({"gpus": {"tolerations": [{"key": "gpu", "operator": "exists"}]}}, r"pipelines\.gpus\.tolerations\.0\.operator"),
        ([], r"pipelines"),
    ],
)
def test_what_the_section_does_not_know_is_refused_by_name(tmp_path: Path, section: object, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        read_values([written(tmp_path, "a.yaml", {"pipelines": section})])


@pytest.mark.parametrize("text", ["- a list\n", "{", None])
def test_a_file_that_is_no_values_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "values.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InvalidInput, match=r"--values: .*values\.yaml"):
        read_values([path])
