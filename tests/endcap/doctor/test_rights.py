"""Rights: the caller's own, those it must have to give them, and those of the accounts."""

from typing import Any

from endcap.doctor.check import Outcome
from endcap.doctor.checks import rights
from endcap.doctor.cluster import Right
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import made_cluster, made_release, outcome

ACCOUNT = "/api/v1/namespaces/shop/serviceaccounts/endcap-rollout-operator"
OPERATOR = {"rollouts": {"operator": {"enabled": True}}}


def _found(name: str, answers: dict[str, Any], granted: set[str] | None) -> Outcome | None:
    return outcome(rights.checks(made_release(OPERATOR)), name, made_cluster(answers, granted))


def test_who_may_do_everything_is_asked_once() -> None:
    assert _found("install", {}, {"* *"}) == Outcome(State.OK, "everything is allowed")


def test_rights_that_are_missing_are_named_by_kind() -> None:
    found = _found("install", {}, {"get configmaps"})
    assert found is not None
    assert found.state is State.GAP
    assert "create, patch, delete configmaps" in found.found
    assert "more kinds" in found.found


def test_a_role_can_be_made_by_who_has_its_rights_or_may_escalate() -> None:
    lacking = _found("grant-rollout-operator", {}, {"get deployments"})
    escalating = _found("grant-rollout-operator", {}, {"escalate roles"})
    assert lacking is not None
    assert escalating is not None
    assert (lacking.state, escalating.state) == (State.GAP, State.OK)
    assert "patch rollouts/status.endcap.dev" in lacking.found


def test_accounts_are_looked_at_once_they_are_there() -> None:
    assert _found("account-rollout-operator", {}, None) is None
    there: dict[str, Any] = {ACCOUNT: {"metadata": {}}}
    whole, broken = _found("account-rollout-operator", there, None), _found("account-rollout-operator", there, {"get rollouts"})
    assert whole is not None
    assert broken is not None
    assert (whole.state, broken.state) == (State.OK, State.GAP)
    assert "list, watch, patch rollouts.endcap.dev" in broken.found


def test_rights_read_as_sentences() -> None:
    assert str(Right("get", "apps", "deployments", "shop")) == "get deployments.apps in shop"
    assert str(Right("get", "", "secrets", "shop", "kfp")) == "get secrets/kfp in shop"
