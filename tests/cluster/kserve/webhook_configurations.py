"""KServe's and Knative's webhook configurations, limited to one namespace."""

import base64
from dataclasses import dataclass
from typing import Any

from tests.cluster.kserve.webhook_server import WebhookServer

REGISTRATION = "admissionregistration.k8s.io/v1"
SERVICES = {"apiGroups": ["serving.kserve.io"], "apiVersions": ["v1beta1"], "resources": ["inferenceservices"]}
RUNTIMES = {"apiGroups": ["serving.kserve.io"], "apiVersions": ["v1alpha1"], "resources": ["servingruntimes"]}
KNATIVE_SERVICES = {"apiGroups": ["serving.knative.dev"], "apiVersions": ["v1"], "resources": ["services"]}
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
BOTH = ("CREATE", "UPDATE")


@dataclass(frozen=True)
class Webhook:
    """One entry of a configuration.

    Attributes:
        name: what the API server calls it in a refusal.
        path: where it is asked.
        rule: resources it is asked about.
        label: only about objects that have it; all where it is empty.
    """

    name: str
    path: str
    rule: dict[str, Any]
    operations: tuple[str, ...] = BOTH
    label: str = ""


MUTATING = (
    Webhook("inferenceservice.kserve-webhook-server.defaulter", "/mutate-inferenceservices", SERVICES),
    Webhook("inferenceservice.kserve-webhook-server.pod-mutator", "/mutate-pods", PODS, ("CREATE",), "serving.kserve.io/inferenceservice"),
)
VALIDATING = (
    Webhook("inferenceservice.kserve-webhook-server.validator", "/validate-inferenceservices", SERVICES),
    Webhook("servingruntime.kserve-webhook-server.validator", "/validate-servingruntimes", RUNTIMES),
    Webhook("validation.webhook.serving.knative.dev", "/validate-knative-services", KNATIVE_SERVICES),
)


def configurations(server: WebhookServer, namespace: str) -> list[dict[str, Any]]:
    """A MutatingWebhookConfiguration and a ValidatingWebhookConfiguration, named after the namespace they are for."""
    return [
        {
            "apiVersion": REGISTRATION,
            "kind": kind,
            "metadata": {"name": f"inferenceservice.serving.kserve.io-{namespace}"},
            "webhooks": [_entry(each, server, namespace) for each in webhooks],
        }
        for kind, webhooks in (("MutatingWebhookConfiguration", MUTATING), ("ValidatingWebhookConfiguration", VALIDATING))
    ]


def _entry(webhook: Webhook, server: WebhookServer, namespace: str) -> dict[str, Any]:
    chosen = {"objectSelector": {"matchExpressions": [{"key": webhook.label, "operator": "Exists"}]}} if webhook.label else {}
    return {
        "name": webhook.name,
        "clientConfig": {"url": server.url(webhook.path), "caBundle": base64.b64encode(server.authority).decode()},
        "rules": [{**webhook.rule, "operations": list(webhook.operations), "scope": "Namespaced"}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        **chosen,
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "timeoutSeconds": 10,
        "admissionReviewVersions": ["v1"],
    }
