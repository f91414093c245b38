"""The chart as the tests install it: its profiles, and the namespaces that its values name beside the release's own."""

from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "charts" / "endcap"
PROFILES = ("minimal", "production", "gpu", "multi-region")
RELEASE = "endcap"
KNATIVE = ("--set", "serving.deploymentMode=Knative", "--set", "serving.timeoutSeconds=30")
"""Values for Knative mode, in which the time-out is the time to drain, too."""


ONE_COLLECTOR = ("--set", "collector.replicas.min=1")
"""Its autoscaler runs in the tests' control plane, where it would make more of them, and their volumes, at a moment of its own."""


def parts_in(namespace: str) -> tuple[str, str]:
    """Values that put the parts of a profile into this namespace instead of one that the tests do not have."""
    return "--set", f"parts.namespace={namespace}"


def values_of(profile: str) -> Path:
    """The profile's values file."""
    return CHART / "profiles" / f"{profile}.yaml"


def documents(text: str) -> list[dict[str, Any]]:
    """Objects of rendered YAML."""
    return [each for each in yaml.safe_load_all(text) if each]


def is_hook(rendered: dict[str, Any]) -> bool:
    """Whether Helm creates it at a hook only."""
    return "helm.sh/hook" in rendered["metadata"].get("annotations", {})


def key_of(rendered: dict[str, Any], namespace: str) -> str:
    """`Kind/namespace/name`; the namespace is empty where there is none in what was rendered."""
    return f"{rendered['kind']}/{rendered['metadata'].get('namespace', namespace)}/{rendered['metadata']['name']}"
