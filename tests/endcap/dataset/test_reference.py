import re
from pathlib import Path

import polars as pl

from endcap.contracts.tables import TABLES
from endcap.dataset.reference import markdown_reference
from endcap.dataset.sources.folder import import_folder
from endcap.dataset.sources.mapping import Mapping, TableMapping

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


def test_every_column_and_option_is_explained() -> None:
    sections = markdown_reference()
    for contract in TABLES.values():
        for name, field in contract.model_fields.items():
            assert f"| `{name}` |" in sections["tables"]
            assert field.description
    for model in (Mapping, TableMapping):
        assert all(f"| `{name}` |" in sections["mapping"] for name in model.model_fields if name != "tables")


def test_the_example_of_the_page_imports(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, content in re.findall(r"`exports/([\w/.-]+)`\n\n```csv\n(.*?)```", page, re.DOTALL):
        file = tmp_path / "exports" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    [mapping] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mapping.yaml").write_text(mapping, encoding="utf-8")
    dataset, _ = import_folder(tmp_path / "exports", tmp_path / "mapping.yaml", tmp_path / "data", 0.0)
    assert (dataset.source, dataset.currency, dict(dataset.rows)) == ("my-shop", "EUR", {"items": 2, "events": 3})
    assert pl.read_parquet(dataset.table("items"))["category_path"].to_list() == [["Food", "Tea"], ["Kitchen", "Cups"]]
    assert set(pl.read_parquet(dataset.table("events"))["event_type"]) == {"purchase"}
