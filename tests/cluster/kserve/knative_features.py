"""Rule: Knative's webhook refuses fields of a pod spec whose features are off.

Observed: "`predictor.securityContext` (seccompProfile, runAsNonRoot, runAsUser, fsGroup; WITHOUT fsGroupChangePolicy, which Knative
refuses) with Knative's feature `kubernetes.podspec-securitycontext`". "Knative's features `kubernetes.podspec-init-containers` and
`-persistent-volume-claim` are not needed for bundles (pods get them at creation)": only what the Knative Service itself names counts
here. Other features, and the wording, are read in Knative's code.

Kinder than the real one: other fields that Knative refuses (a host's namespaces, ports, probes' limits) are left to its definition's
schema.
"""

from typing import Any

FEATURE_OF_FIELD = {
    "affinity": "kubernetes.podspec-affinity",
    "initContainers": "kubernetes.podspec-init-containers",
    "nodeSelector": "kubernetes.podspec-nodeselector",
    "priorityClassName": "kubernetes.podspec-priorityclassname",
    "securityContext": "kubernetes.podspec-securitycontext",
    "tolerations": "kubernetes.podspec-tolerations",
    "topologySpreadConstraints": "kubernetes.podspec-topologyspreadconstraints",
}
CLAIMS, PROBING = "kubernetes.podspec-persistent-volume-claim", "multi-container-probing"
NEVER_IN_SECURITY_CONTEXT = ("fsGroupChangePolicy", "seLinuxOptions", "sysctls", "windowsOptions")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
AT = "spec.template.spec"


def refusal(knative_service: dict[str, Any], features: frozenset[str]) -> str | None:
    """Why Knative's webhook refuses a Knative Service, None where it does not.

    Args:
        features: the enabled ones.
    """
    spec = knative_service["spec"]["template"]["spec"]
    fields = [f"{AT}.{field}" for field, feature in FEATURE_OF_FIELD.items() if spec.get(field) and feature not in features]
    if f"{AT}.securityContext" not in fields:
        context = spec.get("securityContext") or {}
        fields += [f"{AT}.securityContext.{each}" for each in NEVER_IN_SECURITY_CONTEXT if each in context]
    if PROBING not in features:
        fields += _probes_beside(spec["containers"])
    reasons = [f"must not set the field(s): {', '.join(sorted(fields))}"] if fields else []
    if CLAIMS not in features:
        claims = [each["name"] for each in spec.get("volumes") or () if "persistentVolumeClaim" in each]
        reasons += [f"Persistent volume claim support is disabled, but found persistent volume claim {each}" for each in claims]
    return f"validation failed: {'; '.join(reasons)}" if reasons else None


def _probes_beside(containers: list[dict[str, Any]]) -> list[str]:
    """Of containers that do not have the port; with one container only it need not name its port."""
    if len(containers) == 1:
        return []
    return [
        f"{AT}.containers[{number}].{probe}"
        for number, container in enumerate(containers)
        if not container.get("ports")
        for probe in PROBES
        if probe in container
    ]
