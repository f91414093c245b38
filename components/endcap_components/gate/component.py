"""Pipeline component: may this run's models take the champion's place?"""

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Output, OutputPath

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def gate(
    *,
    training: Input[Dataset],
    tables: Input[Dataset],
    evaluation: Input[Dataset],
    report: Input[HTML],
    two_tower_parameters: dict,  # type: ignore[type-arg]
    ranker_parameters: dict,  # type: ignore[type-arg]
    distil_parameters: dict,  # type: ignore[type-arg]
    item_to_item_parameters: dict,  # type: ignore[type-arg]
    ease_parameters: dict,  # type: ignore[type-arg]
    precision: str,
    min_gain: float,
    accept_uncompared: bool,
    judged_report: Output[HTML],
    reason: OutputPath(str),  # type: ignore[valid-type]
    run_id: OutputPath(str),  # type: ignore[valid-type]
    uncompared: OutputPath(str),  # type: ignore[valid-type]
) -> bool:
    """Record the run and compare it with the champion on the same people and weeks; returns whether it is accepted.

    The decision is the component's single return value, because kfp.local resolves a condition on nothing else: on an output with a name
    of its own it skips the branch without an error.
    """
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap.evaluation.gate import GateLimits
    from endcap_components.gate.step import GateInputs, gate_step

    limits = GateLimits(min_gain, accept_uncompared)
    parameters = {f"two_tower.{name}": value for name, value in two_tower_parameters.items()}
    parameters |= {f"ranker.{name}": value for name, value in ranker_parameters.items()}
    parameters |= {f"distil.{name}": value for name, value in distil_parameters.items()} | {"precision": precision}
    parameters |= {f"item_to_item.{name}": value for name, value in item_to_item_parameters.items()}
    parameters |= {f"ease.{name}": value for name, value in ease_parameters.items()}
    judged = Path(judged_report.path)
    inputs = GateInputs(Path(training.path), Path(tables.path), Path(evaluation.path), Path(report.path))
    result = gate_step(inputs, parameters, limits, load_settings(), judged_report=judged)
    Path(reason).write_text(result.decision.reason)
    Path(run_id).write_text(result.run_id)
    Path(uncompared).write_text(result.decision.uncompared)
    return result.decision.accepted
