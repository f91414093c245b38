"""A surface: where a list is shown, which sources feed it, and how it is ordered. A new surface is a new entry of the file."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from endcap.contracts.request import SurfaceName
from endcap.core.errors import InvalidInput
from endcap.engine.ranking.value import CATALOGUE_VALUES
from endcap.engine.retrieval.candidates import SOURCES
from endcap.features.columns import OBJECTIVES, SURFACES

ItemsRole = Literal["page", "given", "context"]
"""What a request's `item_ids` are: the page that the list must go with, the very items to put in order, or more that was looked at."""

Exponent = Annotated[float, Field(ge=-4, le=4, allow_inf_nan=False)]


class SourceUse(BaseModel):
    """How much a surface takes of a source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quota: int | None = Field(None, ge=1, le=16_384, description="Most candidates; empty for what the bundle's ranker was trained with.")
    deadline_ms: float | None = Field(None, gt=0, description="After this the source is left out; empty for the retrieval time-out.")


class SurfaceDiversity(BaseModel):
    """How unlike each other the items of a list are to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mmr: float = Field(0.0, ge=0, le=1, description="Strength of maximal marginal relevance; 0 leaves the order alone.")
    category_most: int | None = Field(
        None, ge=1, description="Most items of one category, more where the list would lose too much by it; empty for no limit."
    )
    category_level: int | None = Field(
        None, ge=1, le=3, description="Level of the category path that counts, from 1; empty for the finest, which a flat tree has none of."
    )


class SurfaceExploration(BaseModel):
    """How much of a list tries out what might be liked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(0.05, ge=0, le=0.5, description="Share of the places that explore.")


class Surface(BaseModel):
    """One surface."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = Field("", max_length=500)
    items: ItemsRole = "context"
    items_required: bool = Field(False, description="Whether a request without item_ids is refused.")
    trained_as: Literal["home", "product", "cart", "category", "search", "email"] = Field(
        "home", description="The surface that the models know it as."
    )
    use_context: bool = Field(True, description="Whether session, device and items of the request count; an email is read at any time.")
    sources: dict[str, SourceUse] = Field(min_length=1, description="By source; every one that may bring candidates.")
    closeness: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        default_factory=dict, description="By source, how far its score counts as going with the page; empty to order by value alone."
    )
    closeness_value: float = Field(0.25, ge=0, le=1, description="Exponent of value beside closeness.")
    value: dict[str, Exponent] | None = Field(
        None, description="Exponents of the value product: objectives, margin, price; empty for what the bundle's data says."
    )
    diversity: SurfaceDiversity = SurfaceDiversity()
    families: Literal["one", "all"] = Field(
        "one", description="Whether a list has one of the items that differ in size, colour or seller only, or all of them."
    )
    page_family: bool = Field(
        False, description="With one of a family on a page: whether the list may have others of the families of the page's own items."
    )
    exploration: SurfaceExploration = SurfaceExploration()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for field, names, known in (
            ("sources", self.sources, SOURCES),
            ("closeness", self.closeness, tuple(self.sources)),
            ("value", self.value or (), (*OBJECTIVES, *CATALOGUE_VALUES)),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(f"{field}.{name} is unknown; there are {', '.join(known)}")
        if self.closeness and self.items != "page":
            raise ValueError("closeness needs items: page")
        if self.trained_as not in SURFACES:
            raise ValueError(f"trained_as must be one of {', '.join(SURFACES)}")
        return self


class Surfaces(BaseModel):
    """The surfaces file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    surfaces: dict[SurfaceName, Surface] = Field(min_length=1)


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
