"""The models that the harness knows by name."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import yaml

from endcap.algorithms.registry import ALGORITHMS, algorithm_of
from endcap.core.errors import InvalidInput
from endcap_benchmarks.quality import models as own_models
from endcap_benchmarks.quality.models.checks import Oracle, RandomOrder
from endcap_benchmarks.quality.models.pipeline_model import ORDERED, SHOWN, TWO_TOWER, PipelineModel
from endcap_benchmarks.quality.recommending import AlgorithmModel, BenchmarkModel

CHECKS: Mapping[str, Callable[[], BenchmarkModel]] = {"random": lambda: AlgorithmModel(RandomOrder()), "oracle": Oracle}
"""Models that say something of the harness; run when they are asked for."""

PIPELINE: Mapping[str, Callable[[], BenchmarkModel]] = {
    ORDERED: lambda: PipelineModel(ORDERED),
    SHOWN: lambda: PipelineModel(SHOWN),
    "full_pipeline_two_tower": lambda: PipelineModel(TWO_TOWER),
    "full_pipeline_no_promotions": lambda: PipelineModel(ORDERED, promotions=False),
}
"""Lists of the whole pipeline. Where a task has no cut in time, the pipeline is run when it is asked for: it takes a training."""

OF_SESSIONS = ("session_item_to_item", "v_sknn", "association_rules")
"""Algorithms that read a history as one visit."""

NEEDS_IMAGES = ("image",)
"""Algorithms that are run when they are asked for, since a dataset need not have what they learn from."""


@dataclass(frozen=True)
class CatalogueEntry:
    """A model by name. Baselines are what others have to beat: every algorithm of the library but the two-tower and what builds on it."""

    name: str
    make: Callable[[], BenchmarkModel]
    is_baseline: bool = False


def find_models(names: Sequence[str]) -> list[CatalogueEntry]:
    """The entries of some names.

    Args:
        names: known ones; an algorithm of the library may have settings, as in ease?regularisation=500&decay_days=60; MODULE:CLASS is one
            of your own.

    Raises:
        InvalidInput: nobody has heard of a name, or an algorithm has no such setting.
    """
    return [_entry(name) for name in names]


def names_for(*, temporal: bool, sessions: bool = False) -> list[str]:
    """All models that a protocol can run, baselines first; checks are not among them."""
    left_out = {*CHECKS, *NEEDS_IMAGES, *(() if temporal else PIPELINE), *(() if sessions else OF_SESSIONS)}
    return [name for name in known_models() if name not in left_out]


def known_models() -> dict[str, CatalogueEntry]:
    """By name: the library's algorithms, those of `quality.models` (modules with ALGORITHMS: name -> factory), pipeline, checks."""
    return {**_library(), **_own_models(), **_harness()}


def _entry(name: str) -> CatalogueEntry:
    """Modules of `endcap_benchmarks.quality.models` are read for their own names only: what is wrong with one concerns no other model."""
    known = {**_library(), **_harness()}
    if name not in known and name.partition("?")[0] not in ALGORITHMS and ":" not in name:
        known |= _own_models()
    return known[name] if name in known else _other(name, known)


def _library() -> dict[str, CatalogueEntry]:
    return {name: _of_library(name, name, {}) for name in ALGORITHMS}


def _own_models() -> dict[str, CatalogueEntry]:
    algorithms: dict[str, Callable[[], Any]] = {}
    for module in pkgutil.iter_modules(own_models.__path__):
        algorithms |= getattr(importlib.import_module(f"{own_models.__name__}.{module.name}"), "ALGORITHMS", {})
    return {name: CatalogueEntry(name, _algorithm(make)) for name, make in algorithms.items()}


def _harness() -> dict[str, CatalogueEntry]:
    return {name: CatalogueEntry(name, make) for name, make in {**PIPELINE, **CHECKS}.items()}


def _of_library(shown: str, name: str, settings: Mapping[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(shown, lambda: AlgorithmModel(algorithm_of(name, settings, field="--models")), is_baseline=True)


def _algorithm(make: Callable[[], Any]) -> Callable[[], BenchmarkModel]:
    return lambda: AlgorithmModel(make())


def _other(name: str, known: Mapping[str, CatalogueEntry]) -> CatalogueEntry:
    algorithm, has_settings, query = name.partition("?")
    if has_settings and algorithm in ALGORITHMS:
        settings = {setting: yaml.safe_load(value) for setting, value in parse_qsl(query, strict_parsing=True)}
        entry = _of_library(name, algorithm, settings)
        entry.make()
        return entry
    module, _, attribute = name.partition(":")
    if not attribute:
        raise InvalidInput(
            "no model has this name", field="--models", value=name, fix=f"choose among {', '.join(known)}, or name MODULE:CLASS"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(f"this algorithm cannot be imported ({error})", field="--models", value=name, fix="name MODULE:CLASS") from error
    return CatalogueEntry(name, _algorithm(found))
