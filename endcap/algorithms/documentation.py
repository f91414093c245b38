"""The tables of settings in the page on algorithms, from the settings themselves."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from endcap.algorithms.registry import settings_of


def settings_table(name: str) -> str:
    """Markdown: a row a setting of the algorithm, or that it has none."""
    return table_of_settings(settings_of(name))


def table_of_settings(settings: type[BaseModel]) -> str:
    """The same of any settings."""
    fields = settings.model_fields
    if not fields:
        return "No settings.\n"
    rows = [f"| `{setting}` | {_default(field)} | {field.description} |" for setting, field in fields.items()]
    return "\n".join(["| setting | default | what it does |", "| --- | --- | --- |", *rows]) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if field.default is None:
        extra = field.json_schema_extra
        return str(extra["unset"]) if isinstance(extra, dict) and "unset" in extra else "by the data"
    return f"`{field.default}`"
