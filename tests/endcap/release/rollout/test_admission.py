"""Who refused a change, as the API server words it."""

import pytest

from endcap.release.rollout.admission import Refused, is_refusal, refused_by

USER = "system:serviceaccount:shop:endcap-rollout-operator"


@pytest.mark.parametrize(
    ("message", "author", "why"),
    [
        (
            'admission webhook "inferenceservice.kserve-webhook-server.validator" denied the request: min is larger',
            "admission webhook inferenceservice.kserve-webhook-server.validator",
            "min is larger",
        ),
        ('admission webhook "a.b" denied the request without explanation', "admission webhook a.b", "no reason is given"),
        (
            'Internal error occurred: failed calling webhook "a.b": failed to call webhook: connection refused',
            "admission webhook a.b, which does not answer",
            "failed to call webhook: connection refused",
        ),
        (
            "httproutes \"shelf\" is forbidden: ValidatingAdmissionPolicy 'freeze' with binding 'all' denied request: "
            "no changes\nbefore Monday",
            "ValidatingAdmissionPolicy freeze",
            "no changes\nbefore Monday",
        ),
        (
            'inferenceservices "shelf" is forbidden: exceeded quota: few, requested: count=1, used: count=1, limited: count=1',
            "ResourceQuota few",
            "exceeded quota: few, requested: count=1, used: count=1, limited: count=1",
        ),
        (
            f'httproutes.gateway.networking.k8s.io "shelf" is forbidden: User "{USER}" cannot patch resource "httproutes"',
            "RBAC",
            f'User "{USER}" cannot patch resource "httproutes"',
        ),
        (
            'InferenceService "shelf" is invalid: spec.x: Required',
            "the API server",
            'InferenceService "shelf" is invalid: spec.x: Required',
        ),
    ],
)
def test_whoever_decided_is_named(message: str, author: str, why: str) -> None:
    assert refused_by(message) == (author, why)
    assert Refused("patch httproutes/shelf", message, "shop").statement == f"patch httproutes/shelf is refused by {author}: {why}"


def test_missing_rights_say_where_they_are_listed() -> None:
    refused = Refused("patch httproutes/shelf", f'httproutes "shelf" is forbidden: User "{USER}" cannot patch resource', "shop")
    assert (refused.field, refused.fix) == ("shop/httproutes/shelf", "ask for the rights that docs/rollouts.md lists")


def test_an_api_server_that_is_busy_or_a_conflict_refuses_nothing() -> None:
    assert [status for status in (400, 403, 404, 409, 422, 429, 500, 503) if is_refusal(status, "")] == [400, 403, 422]
    assert is_refusal(500, 'Internal error occurred: failed calling webhook "a.b": timeout')
