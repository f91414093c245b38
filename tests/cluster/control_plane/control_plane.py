"""etcd, kube-apiserver and kube-controller-manager on loopback: a cluster without nodes. Pods are accepted and never run."""

import datetime
import shutil
import ssl
from pathlib import Path

import httpx

from endcap.core.ports import free_ports
from tests.cluster.control_plane.credentials import Credentials
from tests.cluster.control_plane.process import ProgramProcess
from tests.cluster.control_plane.programs import Programs

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 120.0
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "persistentvolumeclaim-protection-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
)
"""Those whose work the tests see; none of them needs a node."""


class ControlPlane:
    """Starts as a whole; the API server alone can be stopped and started again on the same port, with etcd kept.

    Args:
        programs: what to run.
        folder: data, keys and logs; removed at the end.
        now: for the certificates' lifetime, UTC.
    """

    def __init__(self, programs: Programs, folder: Path, now: datetime.datetime) -> None:
        self._folder = folder
        self._etcd_port, peer_port, self._port = free_ports(3)
        self.server = f"https://{LOOPBACK}:{self._port}"
        logs = folder / "logs"
        logs.mkdir(parents=True)
        keys = Credentials(folder / "keys", now)
        self.kubeconfig = keys.kubeconfig(self.server, "admin", ("system:masters",))
        controllers = keys.kubeconfig(self.server, "system:kube-controller-manager")
        self._client = ssl.create_default_context(cafile=str(keys.authority))
        self._client.load_cert_chain(*keys.issue("system:readiness", ("system:masters",)))
        etcd = _etcd(programs, keys, folder / "etcd", self._etcd_port, peer_port)
        self._etcd = ProgramProcess("etcd", etcd, logs)
        self._api_server = ProgramProcess("kube-apiserver", _api_server(programs, keys, self._port, self._etcd_port), logs)
        self._controllers = ProgramProcess("kube-controller-manager", _controller_manager(programs, keys, controllers), logs)

    def start(self) -> None:
        """Return when the API server is ready and the controllers work."""
        self._etcd.start()
        self._etcd.wait_until(lambda: self._answers(f"https://{LOOPBACK}:{self._etcd_port}/readyz"), READY_TIMEOUT_S)
        self.start_api_server()
        account = f"{self.server}/api/v1/namespaces/default/serviceaccounts/default"
        self._controllers.wait_until(lambda: self._answers(account), READY_TIMEOUT_S)

    def start_api_server(self) -> None:
        """Return when it is ready; the controllers start anew with it: those that were there would look for it once a minute by now."""
        self._api_server.start()
        self._api_server.wait_until(lambda: self._answers(f"{self.server}/readyz"), READY_TIMEOUT_S)
        self._controllers.stop()
        self._controllers.start()

    def stop_api_server(self) -> None:
        self._api_server.stop()

    def stop(self) -> None:
        """Stop everything and remove the data."""
        for process in (self._controllers, self._api_server, self._etcd):
            process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self, url: str) -> bool:
        try:
            return httpx.get(url, timeout=5, trust_env=False, verify=self._client).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def _etcd(programs: Programs, keys: Credentials, data: Path, port: int, peer_port: int) -> list[str]:
    certificate, key = keys.issue("etcd")
    client, peer = f"https://{LOOPBACK}:{port}", f"https://{LOOPBACK}:{peer_port}"
    return [
        str(programs.etcd),
        f"--data-dir={data}",
        "--name=tests",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=tests={peer}",
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={keys.authority}",
        "--client-cert-auth",
        f"--peer-cert-file={certificate}",
        f"--peer-key-file={key}",
        f"--peer-trusted-ca-file={keys.authority}",
        "--peer-client-cert-auth",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_server(programs: Programs, keys: Credentials, port: int, etcd_port: int) -> list[str]:
    certificate, key = keys.issue("kube-apiserver")
    etcd_certificate, etcd_key = keys.issue("etcd-client")
    return [
        str(programs.api_server),
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--etcd-servers=https://{LOOPBACK}:{etcd_port}",
        f"--etcd-cafile={keys.authority}",
        f"--etcd-certfile={etcd_certificate}",
        f"--etcd-keyfile={etcd_key}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--client-ca-file={keys.authority}",
        f"--service-account-key-file={keys.service_account_public_key}",
        f"--service-account-signing-key-file={keys.service_account_key}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        "--profiling=false",
    ]


def _controller_manager(programs: Programs, keys: Credentials, kubeconfig: Path) -> list[str]:
    return [
        str(programs.controller_manager),
        f"--bind-address={LOOPBACK}",
        "--secure-port=0",
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--root-ca-file={keys.authority}",
        f"--service-account-private-key-file={keys.service_account_key}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-namespace-syncs=10",
    ]
