"""Namespaces for tests: fresh, with restricted pod security, gone at the end."""

import itertools
import secrets
from typing import Any

from tests.waiting import until

LABELS = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
    "endcap.dev/made-by": "tests",
}
GONE_TIMEOUT_S = 120.0


class Namespaces:
    """Makes namespaces and remembers them."""

    def __init__(self, api_client: Any) -> None:
        from kubernetes import client

        self._core = client.CoreV1Api(api_client)
        self._run = secrets.token_hex(3)
        self._numbers = itertools.count(1)
        self._made: list[str] = []

    def make(self, prefix: str = "endcap") -> str:
        """Name of a new namespace, in which pods can be created."""
        name = f"{prefix}-{self._run}-{next(self._numbers)}"
        self._core.create_namespace({"metadata": {"name": name, "labels": LABELS}})
        self._made.append(name)
        until(lambda: self._has(name), f"ServiceAccount and ConfigMap of namespace {name}")
        return name

    def delete(self, name: str) -> None:
        """Ask for its end, without waiting: the namespace controller takes at least 5 s."""
        self._core.delete_namespace(name)

    def wait_until_gone(self) -> None:
        """All that were made are gone."""
        until(lambda: not self._left(), "end of the namespaces", GONE_TIMEOUT_S)

    def _has(self, name: str) -> bool:
        accounts = self._core.list_namespaced_service_account(name).items
        return bool(accounts) and bool(self._core.list_namespaced_config_map(name).items)

    def _left(self) -> set[str]:
        return {each.metadata.name for each in self._core.list_namespace().items} & set(self._made)
