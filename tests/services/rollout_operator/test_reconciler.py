"""What does not answer while the operator looks is unknown to the decision, and counted."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from endcap.contracts.rollout import Refusal
from endcap.core.errors import DependencyUnavailable
from endcap.release.rollout.admission import Refused
from endcap.release.rollout.api_server import Conflict
from endcap_rollout_operator.metrics import OperatorMetrics
from endcap_rollout_operator.reconciler import Reconciler
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.observed_state import Index
from tests.services.rollout_operator.state.made_cluster import START, MadeCluster, made_rollout


class Away:
    """Milvus and MLflow, both of which may be away."""

    def __init__(self, *, is_away: bool) -> None:
        self._is_away = is_away

    def champion(self) -> int | None:
        self._answer("MLflow")
        return None

    def look(self, *_: object) -> Index:
        self._answer("Milvus")
        return Index("missing", None)

    def _answer(self, name: str) -> None:
        if self._is_away:
            raise DependencyUnavailable(f"{name} does not answer", field=name)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def reconciler(registry: CollectorRegistry, *, is_away: bool) -> Reconciler:
    parts: dict[str, Any] = {name: Away(is_away=is_away) for name in ("index", "registry", "guardrails")}
    return Reconciler(None, **parts, metrics=OperatorMetrics(registry), clock=lambda: START)  # type: ignore[arg-type]


def failures(registry: CollectorRegistry, what: str) -> float:
    return registry.get_sample_value("endcap_rollout_failures_total", {"what": what}) or 0.0


def test_a_registry_that_does_not_answer_is_not_one_without_a_champion(registry: CollectorRegistry) -> None:
    assert reconciler(registry, is_away=True)._found_champion(made_rollout()) == (None, "MLflow does not answer")
    assert failures(registry, "champion") == 1
    assert reconciler(CollectorRegistry(), is_away=False)._found_champion(made_rollout()) == (None, "")


def test_a_milvus_that_does_not_answer_is_not_one_without_the_collection(registry: CollectorRegistry) -> None:
    target = MadeCluster(made_rollout()).observed().target
    assert reconciler(registry, is_away=True)._found_index(made_rollout(), target) is None  # type: ignore[arg-type]
    assert failures(registry, "index") == 1
    found = reconciler(CollectorRegistry(), is_away=False)._found_index(made_rollout(), target)  # type: ignore[arg-type]
    assert found == Index("missing", None)


class Failing:
    """Effects, the first of which fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.done: list[fx.Effect] = []

    def run(self, effect: fx.Effect, *_: object) -> None:
        if isinstance(effect, fx.AddFinalizer):
            raise self._error
        self.done.append(effect)


@pytest.mark.parametrize(
    ("error", "went_well", "counted", "refused"),
    [
        (Conflict("changed"), True, 0, 0),
        (DependencyUnavailable("away"), False, 1, 0),
        (Refused("patch rollouts/endcap-2", 'rollouts "endcap-2" is forbidden', "shop"), False, 1, 1),
    ],
    ids=["conflict", "away", "refused"],
)
def test_an_effect_that_fails_keeps_no_other_and_is_counted_unless_it_is_only_to_be_read_again(
    registry: CollectorRegistry, error: Exception, went_well: bool, counted: int, refused: int
) -> None:
    made, effects = reconciler(registry, is_away=False), Failing(error)
    made._runner = effects  # type: ignore[assignment]
    done, refusals = made._run_effects((fx.AddFinalizer(), fx.SetWeight(5)), made_rollout(), None)  # type: ignore[arg-type]
    assert (done, len(refusals), effects.done) == (went_well, refused, [fx.SetWeight(5)])
    assert failures(registry, "AddFinalizer") == counted


@pytest.mark.parametrize(("error", "is_well", "counted"), [(Conflict("changed"), True, 0), (DependencyUnavailable("away"), False, 1)])
def test_a_look_that_fails_is_counted_and_one_at_what_changed_meanwhile_is_not(
    registry: CollectorRegistry, error: Exception, is_well: bool, counted: int
) -> None:
    def fail() -> None:
        raise error

    assert reconciler(registry, is_away=False)._try("look", made_rollout(), fail) == is_well
    assert failures(registry, "look") == counted


def test_a_look_at_what_changed_meanwhile_is_followed_by_another(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: object) -> bool:
        raise Conflict("changed")

    made = reconciler(registry, is_away=False)
    monkeypatch.setattr(made, "_look", changed)
    assert made._look_again(made_rollout(), None)


def test_a_look_that_is_refused_is_said_in_the_status(registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise Refused("list pods", 'pods is forbidden: User "me" cannot list resource "pods"', "shop")

    said: list[Refusal] = []
    made = reconciler(registry, is_away=False)
    monkeypatch.setattr("endcap_rollout_operator.reconciler.look_at", refused)
    monkeypatch.setattr(made, "_write_refusals", lambda _rollout, _status, refusals: said.extend(refusals))
    assert not made._look(made_rollout(), None)
    assert [each.message for each in said] == ['list pods is refused by RBAC: User "me" cannot list resource "pods"']
    assert failures(registry, "look") == 1
