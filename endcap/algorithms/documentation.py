"""The tables of settings in the page on algorithms, from the settings themselves."""

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from endcap.algorithms.registry import ALGORITHMS, settings_of

BEGIN, END = "<!-- settings of {name} -->", "<!-- end of settings -->"


def settings_table(name: str) -> str:
    """Markdown: a row a setting of the algorithm, or that it has none."""
    fields = settings_of(name).model_fields
    if not fields:
        return "No settings.\n"
    rows = [f"| `{setting}` | {_default(field)} | {field.description} |" for setting, field in fields.items()]
    return "\n".join(["| setting | default | what it does |", "| --- | --- | --- |", *rows]) + "\n"


def with_tables(page: str) -> str:
    """The page with every algorithm's table between its marks made anew; an algorithm without marks is left out."""
    for name in ALGORITHMS:
        begin = BEGIN.format(name=name)
        if begin in page:
            before, _, rest = page.partition(begin)
            _, _, after = rest.partition(END)
            page = f"{before}{begin}\n\n{settings_table(name)}\n{END}{after}"
    return page


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "needed"
    if field.default is None:
        extra = field.json_schema_extra
        return str(extra["unset"]) if isinstance(extra, dict) and "unset" in extra else "by the data"
    return f"`{field.default}`"
