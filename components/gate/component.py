"""Pipeline component: may this run's models take the champion's place?"""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input

from components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[])
def gate(
    *,
    evaluation: Input[Dataset],
    report: Input[HTML],
    two_tower_parameters: dict,  # type: ignore[type-arg]
    ranker_parameters: dict,  # type: ignore[type-arg]
    min_gain: float,
    min_lift: float,
    min_recall_lift: float,
) -> NamedTuple("GateOutputs", [("accepted", bool), ("reason", str), ("run_id", str)]):  # type: ignore[valid-type]
    """Record the run and compare it with the baselines and the champion."""
    from collections import namedtuple
    from pathlib import Path

    from components.gate.step import gate_step
    from endcap.evaluation.gate import GateLimits
    from endcap.settings import load_settings

    limits = GateLimits(min_gain, min_lift, min_recall_lift)
    parameters = {f"two_tower.{name}": value for name, value in two_tower_parameters.items()}
    parameters |= {f"ranker.{name}": value for name, value in ranker_parameters.items()}
    result = gate_step(Path(evaluation.path), Path(report.path), parameters, limits, load_settings())
    outputs = namedtuple("GateOutputs", ["accepted", "reason", "run_id"])
    return outputs(result.decision.accepted, result.decision.reason, result.run_id)
