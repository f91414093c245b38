"""Reading the surfaces: the ones endcap ships with, or a retailer's own file."""

from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from endcap.core.errors import InvalidInput
from endcap.engine.surfaces.surface import Surfaces

SHIPPED = "surfaces.yaml"


def load_surfaces(path: Path | None = None) -> Surfaces:
    """Read and check a surfaces file.

    Args:
        path: the file; None for the one endcap ships with.

    Raises:
        InvalidInput: it cannot be read, is no YAML, or says something the schema does not allow.
    """
    field = str(path or SHIPPED)
    try:
        text = path.read_text(encoding="utf-8") if path else files("endcap.engine.surfaces").joinpath(SHIPPED).read_text(encoding="utf-8")
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"the surfaces cannot be read: {error}", field=field, fix="correct the file, or unset the setting") from error
    try:
        return Surfaces.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{place}: {first['msg']}", field=field, fix="see docs/serving.md, Surfaces") from None
