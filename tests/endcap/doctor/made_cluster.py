"""A cluster made of documents: what the API server would answer, by path."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from endcap.doctor.check import Check, Outcome
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release
from endcap.doctor.values import Chart, Values, merge_values, read_chart

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "endcap"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FORBIDDEN = 403


class MadeApiClient:
    """Stands where the `kubernetes` package's client does.

    Args:
        answers: a document, or the status of a refusal, by path; a path that is not there is not found.
        rights: what reviews allow, as `verb resource`; None allows all.
    """

    def __init__(self, answers: dict[str, Any], rights: set[str] | None = None) -> None:
        self._answers = answers
        self._rights = rights
        self.sent: list[tuple[str, str]] = []

    def call_api(self, path: str, method: str, body: Any = None, **_: Any) -> tuple[Any, ...]:
        self.sent.append((method, path))
        if method == "POST" and path in self._answers:
            raise _refusal(self._answers[path])
        if method == "POST":
            attributes = body["spec"]["resourceAttributes"]
            is_allowed = self._rights is None or f"{attributes['verb']} {attributes['resource']}" in self._rights
            return ({"status": {"allowed": is_allowed}},)
        answer = self._answers.get(path, 404)
        if isinstance(answer, int):
            raise _refusal(answer)
        return (answer,)


def made_cluster(answers: dict[str, Any], rights: set[str] | None = None) -> Cluster:
    return Cluster(MadeApiClient(answers, rights))


def chart() -> Chart:
    return read_chart(CHART)


def made_release(*values: dict[str, Any], profile: str | None = "minimal", namespace: str = "shop", name: str = "endcap") -> Release:
    """A release of a profile with values over it."""
    files = [CHART / "profiles" / f"{profile}.yaml"] if profile else []
    document = merge_values(chart(), files).document
    for each in values:
        document = _over(document, each)
    return Release(namespace, name, "endcap", Values(document))


def items(*documents: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(documents)}


def _over(under: Any, over: dict[str, Any]) -> dict[str, Any]:
    return {
        **under,
        **{key: _over(under.get(key, {}), value) if isinstance(value, dict) else value for key, value in over.items()},
    }


def _refusal(status: int) -> Exception:
    from kubernetes.client.exceptions import ApiException

    error = ApiException(status=status, reason="made")
    error.body = json.dumps({"message": "forbidden: visitor may not" if status == FORBIDDEN else f"status {status}"})
    return error


def outcome(checks: Iterable[Check], name: str, cluster: Cluster) -> Outcome | None:
    """What the one check of this name finds."""
    (check,) = [each for each in checks if each.name == name]
    return check.look(cluster)
