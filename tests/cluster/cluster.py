"""The cluster the tests talk to: a control plane of their own, or the one of KUBECONFIG."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.control_plane.control_plane import ControlPlane

POLL_S = 0.1


@dataclass(frozen=True)
class Cluster:
    """A cluster with an administrator's kubeconfig.

    Attributes:
        kubeconfig: path of the file.
        own: the control plane that the tests started, None for a cluster of KUBECONFIG.
    """

    kubeconfig: Path
    own: ControlPlane | None = None

    def api_client(self) -> Any:
        """A client of the `kubernetes` package with connections of its own: one for each thread that asks or watches."""
        from kubernetes import config

        return config.new_client_from_config(str(self.kubeconfig))

    def stop_api_server(self) -> None:
        """It refuses connections from now on; etcd keeps the objects."""
        self._must_be_own().stop_api_server()

    def start_api_server(self) -> None:
        """Return when it is ready again, on the same port."""
        self._must_be_own().start_api_server()

    def _must_be_own(self) -> ControlPlane:
        if self.own is None:
            pytest.skip("the API server of a cluster from KUBECONFIG is not ours to stop")
        return self.own
