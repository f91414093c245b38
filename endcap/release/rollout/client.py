"""Rollouts as people and the pipeline start and steer them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.contracts.rollout import (
    ACTION_ANNOTATION,
    DEFAULT_GUARDRAILS,
    DEFAULT_STEPS,
    GROUP,
    KIND,
    TARGET_LABEL,
    VERSION,
    Action,
    Analysis,
    RolloutBundle,
    RolloutSpec,
    Step,
)
from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings
from endcap.release.rollout.api_server import ROLLOUTS, ApiServer, Conflict, open_api_server
from endcap.release.rollout.outcome_steps import refuse_short_steps
from endcap.release.rollout.resource import Rollout, parse_rollout

ATTEMPTS_MAX = 50
"""Of one bundle; each rollout keeps its name."""


class RolloutDefaults(BaseModel):
    """What a new rollout gets unless it says otherwise: the content of `defaults_file`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: list[Step] = DEFAULT_STEPS
    analysis: Analysis = Analysis(guardrails=DEFAULT_GUARDRAILS)
    progress_deadline_seconds: int = Field(900, ge=1, alias="progressDeadlineSeconds")


def read_defaults(path: Path | None) -> RolloutDefaults:
    """The defaults of the settings' file; endcap's own without one.

    Raises:
        InvalidInput: the file cannot be read, or is not what a rollout can be.
    """
    if path is None:
        return RolloutDefaults()
    field = "ENDCAP_ROLLOUTS__DEFAULTS_FILE"
    try:
        return RolloutDefaults.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError) as error:
        raise InvalidInput(f"the defaults of rollouts cannot be read: {error}", field=field, value=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}", field=field, value=str(path), fix="docs/rollouts.md describes each field") from error


def create_rollout(settings: Settings, bundle: RolloutBundle, *, again: bool = False, api_server: ApiServer | None = None) -> str:
    """Create the Rollout of a bundle on the settings' target; the one there is when this bundle was rolled out before.

    Args:
        again: start another one if the last one of this bundle has ended.
        api_server: empty for the one of the pod or the kubeconfig.

    Returns:
        The resource's name.

    Raises:
        InvalidInput: the settings name no target, the defaults are unusable, a step is too short for a guardrail on outcomes, or the API
            server refuses the resource.
        DependencyUnavailable: the API server does not answer.
    """
    target = settings.rollouts.target
    if target is None:
        raise InvalidInput(
            "there is no target to roll out to", field="ENDCAP_ROLLOUTS__TARGET", fix="set it to the InferenceService's name"
        )
    server = api_server or open_api_server(settings)
    defaults = read_defaults(settings.rollouts.defaults_file)
    spec = RolloutSpec(
        target=target,
        bundle=bundle,
        steps=defaults.steps,
        analysis=defaults.analysis,
        progress_deadline_seconds=defaults.progress_deadline_seconds,
    )
    refuse_short_steps(spec.steps, spec.analysis, timedelta(minutes=settings.outcomes.list_minutes))
    for name in _names(target, bundle.version):
        found = server.get(ROLLOUTS, name)
        if found is None:
            try:
                server.create(ROLLOUTS, rollout_document(name, spec))
            except Conflict:  # somebody created it at the same moment
                return name
            return name
        if not (again and parse_rollout(found).has_ended):
            return name
    raise InvalidInput(f"bundle was rolled out {ATTEMPTS_MAX} times", field="bundle", value=bundle.version, fix="delete old Rollouts")


def rollout_document(name: str, spec: RolloutSpec) -> dict[str, Any]:
    """The resource as the API server takes it."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name, "labels": {TARGET_LABEL: spec.target}},
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def list_rollouts(server: ApiServer) -> list[Rollout]:
    """All of the namespace, newest first."""
    found = [parse_rollout(document) for document in server.list(ROLLOUTS)]
    return sorted(found, key=lambda rollout: (rollout.created_at, rollout.name), reverse=True)


def find_rollout(server: ApiServer, name: str | None) -> Rollout:
    """A rollout by its name or its bundle's version; without one, the oldest that has not ended, else the newest.

    Raises:
        InvalidInput: there is none.
    """
    rollouts = list_rollouts(server)
    if name is None:
        under_way = [rollout for rollout in rollouts if not rollout.has_ended]
        found = under_way[-1:] or rollouts[:1]
    else:
        found = [rollout for rollout in rollouts if name in (rollout.name, str(rollout.spec.bundle.version))]
    if not found:
        raise InvalidInput("there is no such rollout", field="rollout", value=name, fix="see `endcap rollout list`")
    return found[0]


def request_action(server: ApiServer, name: str, action: Action) -> None:
    """Request an action on a rollout; the operator takes the annotation off when it has acted."""
    server.merge(ROLLOUTS, name, {"metadata": {"annotations": {ACTION_ANNOTATION: str(action)}}})


def _names(target: str, version: int) -> Iterator[str]:
    yield f"{target}-{version}"
    for attempt in range(2, ATTEMPTS_MAX + 1):
        yield f"{target}-{version}-{attempt}"
