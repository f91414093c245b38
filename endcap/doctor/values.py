"""The chart's values as Helm puts them together, checked against the chart's schema, and read by their dotted names."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from endcap.core.errors import DependencyUnavailable, InvalidInput

DEFAULT_CHART = Path("charts/endcap")


@dataclass(frozen=True)
class Chart:
    """A chart's folder: what the doctor reads of it."""

    version: str
    app_version: str
    name: str
    values: Mapping[str, Any]
    schema: Mapping[str, Any]


class Values:
    """Merged values.

    Args:
        document: the whole of them.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document

    def __getitem__(self, name: str) -> Any:
        """The value of a dotted name, for example `milvus.auth.secretName`; None where a null took it away, as in the chart's templates."""
        found: Any = self.document
        for key in name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


def read_chart(folder: Path) -> Chart:
    """Raises:
    InvalidInput: there is no chart in the folder.
    """
    try:
        chart = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
        values = yaml.safe_load((folder / "values.yaml").read_text(encoding="utf-8"))
        schema = json.loads((folder / "values.schema.json").read_text(encoding="utf-8"))
        return Chart(str(chart["version"]), str(chart["appVersion"]), str(chart["name"]), values, schema)
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        fix = "give the folder of endcap's chart (charts/endcap of a checkout), which has Chart.yaml, values.yaml and values.schema.json"
        raise InvalidInput(f"there is no chart that can be read: {error}", field="--chart", value=str(folder), fix=fix) from error


def merge_values(chart: Chart, files: Sequence[Path]) -> Values:
    """The chart's values with the files over them, the last one on top.

    Raises:
        InvalidInput: a file cannot be read, or the values do not fit the schema.
        DependencyUnavailable: what checks schemas is not installed.
    """
    merged: dict[str, Any] = {}
    for file in files:  # Helm merges the files first, so that a null of one file is undone by a later one
        merged = _overlaid(merged, _read(file), keep_null=True)
    merged = _overlaid(dict(chart.values), merged, keep_null=False)
    _check(merged, chart.schema)
    return Values(merged)


def _overlaid(under: Mapping[str, Any], over: Mapping[str, Any], *, keep_null: bool) -> dict[str, Any]:
    """Maps merge, anything else is replaced, and a null takes a default away."""
    result = deepcopy(dict(under))
    for key, value in over.items():
        if value is None and not keep_null:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = _overlaid(below if isinstance(below, Mapping) else {}, value, keep_null=keep_null)
        else:
            result[key] = deepcopy(value)
    return result


def _read(file: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"the values cannot be read: {error}", field="--values", value=str(file)) from error
    if not isinstance(document or {}, Mapping):
        raise InvalidInput("values are a map of names", field="--values", value=str(file), fix="write `name: value` lines")
    return document or {}


def _check(document: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    try:
        from jsonschema import validators
    except ModuleNotFoundError as error:
        raise DependencyUnavailable("what checks schemas is not installed", value=str(error), fix='pip install "endcap[doctor]"') from error

    errors = sorted(validators.validator_for(schema)(schema).iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        place = ".".join(map(str, errors[0].absolute_path)) or "values"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidInput(f"{errors[0].message}{more}", field=place, fix="see the values in charts/endcap/README.md")
