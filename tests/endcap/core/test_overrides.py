"""Overrides replace defaults, and what is wrong with one is told by its name."""

import pytest
from pydantic import BaseModel, ConfigDict, Field

from endcap.core.errors import InvalidInput
from endcap.core.overrides import overridden


class Knobs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    epochs: int = Field(2, ge=1)
    width: int = 8


def test_the_others_keep_their_defaults() -> None:
    assert overridden(Knobs, {"width": 3}, "knobs") == Knobs(epochs=2, width=3)


@pytest.mark.parametrize(("given", "told"), [({"epochs": 0}, "knobs.epochs"), ({"depth": 1}, "knobs.depth")])
def test_a_wrong_one_is_named(given: dict[str, int], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        overridden(Knobs, given, "knobs")
