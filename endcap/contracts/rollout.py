"""The custom resource `Rollout` (group `endcap.dev`): a candidate bundle, the steps it takes to all traffic, and what stops it.

Field names follow Argo Rollouts (`steps`, `setWeight`, `pause`, `analysis`, `currentStepIndex`) and Flagger (the phases) where the idea is
the same. The definition in `charts/endcap` is generated from these models. Durations are written as Kubernetes and Go do: `90s`, `10m`,
`1h30m`.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from endcap.contracts.moment import UtcMoment

GROUP = "endcap.dev"
VERSION = "v1alpha1"
PLURAL = "rollouts"
KIND = "Rollout"

FINALIZER = "endcap.dev/rollback"
"""On Rollouts from their first change of the target on: one that is deleted in progress is rolled back first."""
TARGET_NAME_LENGTH_MAX = 43
"""What is left of a Service's 63 characters by `-candidate-predictor`."""
ACTION_ANNOTATION = "endcap.dev/action"
"""The action that a person requests, one of `Action`; the operator takes it off when it has acted."""
TARGET_LABEL = "endcap.dev/target"
"""On InferenceServices and Rollouts: the target they belong to."""
TRACK_LABEL = "endcap.dev/track"
"""On InferenceServices: `stable` or `candidate`."""
BUNDLE_ANNOTATION = "endcap.dev/bundle"
COLLECTION_ANNOTATION = "endcap.dev/collection"
"""On InferenceServices: version and Milvus collection of the bundle they serve."""
VARIANT_HEADER = "x-endcap-variant"
"""Set by whoever assigns experiments; the HTTPRoute sends a person's requests to one variant by it."""
TRAFFIC_RULE = "traffic"
"""Name of the HTTPRoute's rule whose weights belong to the operator; the other rules are the chart's."""

DURATION_PATTERN = r"^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$"
Duration = Annotated[str, Field(pattern=DURATION_PATTERN, min_length=2, max_length=18)]

_PARTS = re.compile(r"([0-9]+)([hms])")
_UNIT_SECONDS = {"h": 3600, "m": 60, "s": 1}


def seconds_of(duration: str) -> int:
    """A duration in seconds."""
    return sum(int(number) * _UNIT_SECONDS[unit] for number, unit in _PARTS.findall(duration))


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    PROMOTE = "promote"


class Phase(StrEnum):
    WAITING = "Waiting"
    """Another rollout of the target has not come to its end."""
    INITIALIZING = "Initializing"
    """The candidate starts; it gets no traffic yet."""
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    PROMOTING = "Promoting"
    """The candidate has all traffic and takes the stable version's place."""
    ROLLING_BACK = "RollingBack"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    """Rolled back: the stable version has all traffic again."""


ENDED = frozenset({Phase.SUCCEEDED, Phase.FAILED})


class BuiltIn(StrEnum):
    """Guardrails with a query of their own; `value` is what is held against the limit."""

    ERROR_RATE = "errorRate"
    """Share of requests that ended in an error of the server."""
    LATENCY_P99 = "latencyP99"
    """Seconds."""
    DEGRADED_SHARE = "degradedShare"
    """Share of lists in which a stage fell back."""
    EMPTY_SHARE = "emptyShare"
    """Share of lists that were empty although an item was eligible."""
    SCORE_DRIFT = "scoreDrift"
    """Population stability index of the candidate's top scores against the stable version's."""
    CLICK_THROUGH = "clickThrough"
    """Upper end of a confidence sequence for the candidate's click-through rate relative to the stable version's, minus 1."""
    CONVERSION = "conversion"
    """The same for purchases an impression."""


OUTCOMES = frozenset({BuiltIn.CLICK_THROUGH, BuiltIn.CONVERSION})
"""Their value is a lift: more is better."""


class _Part(BaseModel):
    """One part of the resource."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class RolloutBundle(_Part):
    version: int = Field(ge=1, description="Version of the bundle, as in its manifest.")
    storage_uri: str = Field(min_length=1, description="Where KServe finds it: a folder that holds `endcap/<version>/`.")
    collection: str = Field(min_length=1, description="Its Milvus collection, built and checked.")


class Pause(_Part):
    """How long a step lasts at least; with neither field it lasts until somebody resumes."""

    duration: Duration | None = Field(None, description="Time at this weight.")
    min_requests: int | None = Field(None, ge=1, description="Lists that the candidate must have answered at this weight.")


class Step(_Part):
    set_weight: int = Field(ge=0, le=100, description="Share of the traffic that goes to the candidate, per cent.")
    pause: Pause = Field(Pause(duration="5m"), description="What must have happened before the next step.")

    @model_validator(mode="after")
    def _requests_can_come(self) -> Self:
        if self.set_weight == 0 and self.pause.min_requests is not None:
            raise ValueError("a step of weight 0 gets no requests: leave out minRequests")
        return self


class Guardrail(_Part):
    """A limit that the candidate has to keep. A measurement without data is no success: the step does not end while one is missing."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63, description="As status, events and metrics name it.")
    built_in: BuiltIn | None = Field(None, description="A guardrail endcap brings along; or give `query`.")
    query: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="PromQL with one number as its result. ${candidate} and ${stable} are bundle versions, ${window} the analysis window.",
    )
    limit: float = Field(allow_inf_nan=False, description="What the value is held against.")
    direction: Literal["atMost", "atLeast"] = Field("atMost", description="On which side of the limit the value has to be.")
    failure_limit: int = Field(0, ge=0, description="Measurements in a row that may break the limit before the candidate is rolled back.")
    alpha: float = Field(0.05, gt=0, lt=1, description="clickThrough, conversion: chance of ever rolling back an equal candidate.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.built_in is None) == (self.query is None):
            raise ValueError(f"guardrail {self.name}: give either builtIn or query")
        if self.built_in in OUTCOMES and self.direction != "atLeast":
            raise ValueError(
                f"guardrail {self.name}: {self.built_in} needs direction atLeast, since losing outcomes is what it guards against"
            )
        return self


class Analysis(_Part):
    interval: Duration = Field("30s", description="Time between two looks at the guardrails.")
    window: Duration = Field("5m", description="What a measurement looks back over; less at the start of a step.")
    guardrails: list[Guardrail] = Field(default_factory=list, max_length=20)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [guardrail.name for guardrail in self.guardrails]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two guardrails are named {twice[0]}")
        return self


class RolloutSpec(_Part):
    target: str = Field(
        pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$",
        max_length=TARGET_NAME_LENGTH_MAX,
        description="Name of the stable InferenceService, in the same namespace.",
    )
    bundle: RolloutBundle
    steps: list[Step] = Field(min_length=1, max_length=50, description="Weights on the way to 100 per cent, never falling.")
    analysis: Analysis = Analysis()
    progress_deadline_seconds: int = Field(900, ge=1, description="A candidate whose pods make no progress for so long is rolled back.")

    @model_validator(mode="after")
    def _weights_do_not_fall(self) -> Self:
        weights = [step.set_weight for step in self.steps]
        if weights != sorted(weights):
            raise ValueError(f"steps: setWeight may not fall, got {weights}")
        return self


class Measurement(_Part):
    """What a guardrail said at one look."""

    name: str
    at: UtcMoment
    verdict: Literal["pass", "fail", "missing"]
    value: float | None = Field(None, description="Empty when there was no data.")
    limit: float
    direction: Literal["atMost", "atLeast"] = "atMost"
    stable: float | None = Field(None, description="The same of the stable version, where that makes sense.")
    failures: int = Field(0, ge=0, description="Measurements in a row that broke the limit.")
    message: str = Field("", description="For people: what was asked, and why it is missing.")


class Served(_Part):
    """A bundle as an InferenceService serves it."""

    version: int | None = None
    storage_uri: str
    collection: str | None = None


class Condition(_Part):
    """As in Kubernetes' own resources."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: UtcMoment


class Capacity(_Part):
    """What the candidate needs before it gets a share of the traffic, in Standard mode."""

    weight: int = Field(description="The share it is for, per cent.")
    pods: int = Field(ge=1, description="Available pods that the candidate needs for this share.")
    available_max: int = Field(0, ge=0, description="The highest number of available pods seen while it had fewer than that.")
    progress_at: UtcMoment = Field(description="When that number last rose; progressDeadlineSeconds later the candidate is rolled back.")


class Refusal(_Part):
    """An effect that the API server refused at the last attempt."""

    effect: str = Field(description="What the operator wanted done, for example SetWeight.")
    message: str = Field(description="What was refused, by whom and why.")
    at: UtcMoment


class RolloutStatus(_Part):
    """All that the operator knows of a rollout: whoever takes over goes on from here.

    What is wanted is written here before it is done: a weight other than `writtenWeight` and `currentWeight`, or a bundle other than
    `written` and the one the phase asks for, is therefore a person's edit and never the operator's own half-finished work.
    """

    phase: Phase | None = None
    reason: str = Field("", description="Why it is in this phase, one word.")
    message: str = Field("", description="The same for people.")
    phase_started_at: UtcMoment | None = None
    mode: Literal["Standard", "Knative"] | None = Field(None, description="The target's deployment mode, as found at the start.")
    observed_generation: int | None = None
    stable: Served | None = Field(None, description="What was served when it began, and is again after a rollback.")
    written: Served | None = Field(None, description="What the target is known to have been given last, by the operator or by adoption.")
    written_weight: int | None = Field(None, description="The weight that is known to have been set last.")
    candidate_fingerprint: str | None = Field(
        None, description="Of the candidate's other predictor fields, as they were made or last adopted; another one is a person's edit."
    )
    candidate_replicas: int | None = Field(
        None, description="minReplicas that the candidate is known to have; another one than this and capacity.pods is a person's edit."
    )
    capacity: Capacity | None = Field(
        None, description="What the candidate needs for the present step, or for the next one once it is due."
    )
    held_replicas: int | None = Field(
        None, description="minReplicas that the target is held at while the rollout runs; empty while its own are enough."
    )
    stable_replicas: int | None = Field(
        None, description="minReplicas of the target before it was held, which come back; empty: it had none."
    )
    current_step_index: int | None = Field(None, description="From 0; empty until the candidate is ready.")
    current_weight: int = Field(0, description="The weight that is wanted now, per cent.")
    started_at: UtcMoment | None = Field(None, description="When it left the queue.")
    step_started_at: UtcMoment | None = Field(None, description="When the step's weight was in force.")
    step_held_seconds: float = Field(0, ge=0, description="How long the step was paused; its clock stood still meanwhile.")
    step_released: bool = Field(False, description="Whether somebody resumed a step that waits for it.")
    step_requests: int | None = Field(None, description="Lists answered by the candidate at this weight; empty when not known.")
    promote_requested: bool = Field(False, description="Whether somebody asked to skip the remaining steps.")
    paused_at: UtcMoment | None = None
    measured_at: UtcMoment | None = Field(None, description="When the guardrails were asked last in this step.")
    unready_since: UtcMoment | None = Field(None, description="Since when a candidate with traffic has had no available pod.")
    load_failed_since: UtcMoment | None = Field(None, description="Since when KServe says that the candidate's model fails to load.")
    decided_at: UtcMoment | None = Field(None, description="When it was decided to promote or to roll back.")
    promoting_at: UtcMoment | None = Field(None, description="When the target was first given the candidate's bundle for good.")
    completed_at: UtcMoment | None = Field(None, description="When traffic and alias were where the decision wants them.")
    analysis: list[Measurement] = Field(default_factory=list, description="The newest measurement of each guardrail.")
    tripped: Measurement | None = Field(None, description="The measurement that rolled it back.")
    refusals: list[Refusal] = Field(default_factory=list, description="Effects that the API server refuses; each is tried again.")
    conditions: list[Condition] = Field(default_factory=list)


DEFAULT_STEPS = [
    Step(set_weight=weight, pause=Pause(duration=duration, min_requests=requests))
    for weight, duration, requests in ((1, "10m", 500), (5, "10m", 1000), (25, "15m", 2000), (50, "15m", 2000), (100, "10m", 2000))
]
DEFAULT_GUARDRAILS = [
    Guardrail(name="error-rate", built_in=BuiltIn.ERROR_RATE, limit=0.01),
    Guardrail(name="latency-p99", built_in=BuiltIn.LATENCY_P99, limit=0.05, failure_limit=1),
    Guardrail(name="degraded-share", built_in=BuiltIn.DEGRADED_SHARE, limit=0.05, failure_limit=1),
    Guardrail(name="empty-share", built_in=BuiltIn.EMPTY_SHARE, limit=0),
    Guardrail(name="score-drift", built_in=BuiltIn.SCORE_DRIFT, limit=0.25),
]
