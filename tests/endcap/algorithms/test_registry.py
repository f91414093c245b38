"""Algorithms are found by name, and what cannot be meant is refused with what can."""

import subprocess
import sys

import pytest

from endcap.algorithms.ease import Ease
from endcap.algorithms.item_to_item import ItemToItemCosine
from endcap.algorithms.registry import (
    ALGORITHMS,
    AUTO,
    DEFAULT_ALGORITHM,
    WITHOUT_NEIGHBOURS,
    algorithm_of,
    neighbour_algorithm,
    settings_of,
)
from endcap.core.errors import InvalidInput


def test_a_method_comes_with_its_overrides() -> None:
    assert algorithm_of("ease", {"regularisation": 3.0}) == Ease(regularisation=3.0)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_method_has_defaults_and_documented_settings(name: str) -> None:
    assert algorithm_of(name) == algorithm_of(name, {})
    assert all(field.description for field in settings_of(name).model_fields.values())


def test_an_unknown_name_is_refused_with_all_names() -> None:
    with pytest.raises(InvalidInput, match=r"algorithm: no such algorithm; got 'eese'; one of popular, .*ease.*ncf"):
        algorithm_of("eese")


def test_an_unknown_setting_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"algorithm ease: lamda: .*its settings are regularisation"):
        algorithm_of("ease", {"lamda": 3.0})


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"ease: regularisation: .*greater than 0; got -1"):
        algorithm_of("ease", {"regularisation": -1})


@pytest.mark.parametrize("chosen", [{}, {"method": "nobody"}, *({"method": name} for name in WITHOUT_NEIGHBOURS)])
def test_only_methods_with_neighbours_feed_the_table(chosen: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=r"item_to_item.method: .*one of item_to_item_cosine, .*, ncf.* or auto without settings"):
        neighbour_algorithm(chosen)


def test_the_setting_of_the_table_carries_the_settings_of_its_method() -> None:
    assert neighbour_algorithm({"method": "ease", "regularisation": 2}) == Ease(regularisation=2)


def test_left_to_the_data_the_table_is_by_ease_unless_ease_has_its_own() -> None:
    assert neighbour_algorithm(DEFAULT_ALGORITHM) == Ease()
    assert neighbour_algorithm(DEFAULT_ALGORITHM, beside_ease=True) == ItemToItemCosine()
    assert neighbour_algorithm({"method": "ease"}, beside_ease=True) == Ease()
    with pytest.raises(InvalidInput, match=r"item_to_item.method: .*got 'auto'"):
        neighbour_algorithm({"method": AUTO, "regularisation": 2})


@pytest.mark.processes
def test_naming_methods_loads_no_heavy_library() -> None:
    heavy = "tensorflow", "implicit", "gensim", "sklearn"
    code = (
        "import sys, endcap.algorithms.registry as registry; [registry.algorithm_of(name) for name in registry.ALGORITHMS]; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
