import pytest

from endcap.core.errors import InvalidInput
from endcap_components.train_two_tower.__main__ import _overrides


@pytest.mark.parametrize("text", ["", "{", "[1]", "3"])
def test_overrides_that_are_no_map_are_refused_and_not_taken_for_none(text: str) -> None:
    with pytest.raises(InvalidInput, match="--hyperparameters: must be a map as JSON"):
        _overrides(text)
    assert _overrides("{}") == {}
