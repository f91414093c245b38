"""How the stand-in's KServe is configured: of its ConfigMap and of Knative's what the rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KNATIVE_FEATURES = frozenset(
    {
        "kubernetes.podspec-affinity",
        "kubernetes.podspec-init-containers",
        "kubernetes.podspec-nodeselector",
        "kubernetes.podspec-persistent-volume-claim",
        "kubernetes.podspec-priorityclassname",
        "kubernetes.podspec-securitycontext",
        "kubernetes.podspec-tolerations",
        "kubernetes.podspec-topologyspreadconstraints",
        "multi-container-probing",
    }
)
"""Of Knative's ConfigMap `config-features`; all of these are off until somebody turns them on."""
STORAGE_INITIALIZER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "privileged": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class KServeSettings:
    """What an administrator of KServe and Knative has chosen.

    Attributes:
        ingress_domain: `ingressDomain` of the ConfigMap `inferenceservice-config`.
        enable_gateway_api: `enableGatewayApi` there.
        ingress_gateway: `kserveIngressGateway` there, as `<namespace>/<name>`.
        knative_features: those of `config-features` that are enabled.
        storage_initializer_security: `securityContext` of the ClusterStorageContainer `default`.
    """

    ingress_domain: str = "example.com"
    enable_gateway_api: bool = False
    ingress_gateway: str = "kserve/kserve-ingress-gateway"
    knative_features: frozenset[str] = KNATIVE_FEATURES
    storage_initializer_security: Mapping[str, Any] = field(default_factory=lambda: STORAGE_INITIALIZER_SECURITY)
