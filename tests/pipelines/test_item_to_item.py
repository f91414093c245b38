"""The algorithm of the item-to-item table is checked before a run starts."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.core.errors import InvalidInput
from endcap_pipelines.commands import app
from endcap_pipelines.compiling import compile_pipeline
from endcap_pipelines.options import chosen_algorithm
from endcap_pipelines.values import ChartValues


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (None, {"method": "auto"}),
        ("ease", {"method": "ease"}),
        ('{"method": "als", "factors": 32}', {"method": "als", "factors": 32}),
    ],
)
def test_a_method_is_a_name_or_json(text: str | None, chosen: dict[str, object]) -> None:
    assert chosen_algorithm(text) == chosen


@pytest.mark.parametrize("text", ["eese", "popular", '{"regularisation": 3}'])
def test_what_makes_no_table_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"--item-to-item.method: .*one of item_to_item_cosine, .*ease.*ncf"):
        chosen_algorithm(text)


def test_a_setting_the_method_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidInput, match="its settings are factors"):
        chosen_algorithm('{"method": "svd", "rank": 3}')


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match="is no JSON"):
        chosen_algorithm("{ease}")


@pytest.mark.parametrize("chosen", [{"method": "eese"}, "ease"])
def test_neither_compiling_nor_submitting_takes_what_makes_no_table(chosen: object, tmp_path: Path) -> None:
    values = ChartValues.model_validate({"pipelines": {"parameters": {"item_to_item": chosen}}})
    with pytest.raises(InvalidInput, match="item_to_item"):
        compile_pipeline(tmp_path / "pipeline.yaml", values)
    assert not (tmp_path / "pipeline.yaml").exists()
    done = CliRunner().invoke(app, ["submit", "--host", "http://127.0.0.1:9", "-p", 'item_to_item={"method": "eese"}'])
    assert isinstance(done.exception, InvalidInput)


def test_the_method_is_a_default_of_the_compiled_pipeline(tmp_path: Path) -> None:
    values = ChartValues.model_validate({"pipelines": {"parameters": {"item_to_item": {"method": "ease"}}}})
    assert "method: ease" in compile_pipeline(tmp_path / "pipeline.yaml", values).read_text()
