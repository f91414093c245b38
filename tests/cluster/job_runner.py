"""Runs the pods of Jobs, so that Jobs and Helm's hooks end on a control plane that has no nodes.

`with JobRunner(cluster, namespace, {"ENDCAP_X": "http://127.0.0.1:1234"}) as jobs: helm("install", ...)`; afterwards `jobs.logs` has
what the containers wrote, by `pod/container`. The real Job controller makes the pods, retries and completes.

A container's `command` and `args` are run as a process of this machine, without its image:

- `python`, `endcap`, `kubectl` and the like are those beside the Python that runs the tests, `PYTHONPATH` is the project's root;
- variables are the pod's own (`env`, `envFrom`; ConfigMaps, Secrets and the pod's fields), then those given to the runner; nothing else of
  this process's environment gets in;
- a volume is a folder: files of ConfigMaps, Secrets, projected volumes and the downward API, empty for `emptyDir`; a claim's folder is the
  same for all pods. A path in command, arguments or variables at or below a `mountPath` is made the folder's;
- the account's token, `ca.crt` and `namespace` are real (bound to the pod) and in the folder that `SERVICE_ACCOUNT_FOLDER` names;
  `KUBECONFIG` names a kubeconfig with them. What opens `/var/run/secrets/kubernetes.io/serviceaccount` by itself finds nothing: the
  `kubernetes` package's in-cluster configuration says so, and `endcap` then takes the kubeconfig. Without an automounted token, neither;
- `KUBERNETES_SERVICE_HOST` and `_PORT` are the API server's.

Unlike a kubelet: no node (`spec.nodeName` stays empty), limits, probes, security context, SIGTERM, sidecars, `/dev/termination-log` or log
subresource; a container that failed under `restartPolicy: OnFailure` starts again after 1 s.
"""

import contextlib
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.pod_run import Places, PodRun

INTERVAL_S = 0.25
JOB_LABEL = "batch.kubernetes.io/job-name"
STARTING_UP = (429, 500, 503)


def all_jobs(job: str) -> bool:
    """Every Job's pods are run."""
    return True


class JobRunner:
    """At work between `__enter__` and `__exit__`, which kills what still runs and raises what went wrong in the runner itself.

    A test is skipped on a cluster of KUBECONFIG.

    Args:
        cluster: its own connection is made for the runner.
        namespace: of the Jobs.
        environment: variables that count more than the pods' own.
        addresses: names of the cluster and where they are on this machine, in commands, arguments and variables; there is no DNS here.
        runs: whether the pods of a Job are run, by the Job's name.
        claims: folder for a PersistentVolumeClaim, by its name; others get an empty one.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        environment: Mapping[str, str] | None = None,
        *,
        addresses: Mapping[str, str] | None = None,
        runs: Callable[[str], bool] = all_jobs,
        claims: Mapping[str, Path] | None = None,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._environment = environment or {}
        self._addresses = addresses or {}
        self._runs_job = runs
        self._claims = claims or {}
        self._stopped = threading.Event()
        self._runs: dict[str, tuple[Document, PodRun]] = {}
        self._present: set[str] = set()
        self._failure: BaseException | None = None
        self._kept_logs: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._cluster.own is None:
            pytest.skip("the nodes of a cluster from KUBECONFIG run Jobs themselves, with images")
        self._stack = contextlib.ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="job-runner-")))
        self._api = NodeApi(self._cluster, self._namespace)
        self._stack.callback(self._api.close)
        self._threads = [threading.Thread(target=self._watched, args=(self._look_out,), name="job-runner", daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)
        self._kept_logs = self._read_logs()
        self._stack.close()
        if self._failure is not None:
            raise self._failure from error

    @property
    def logs(self) -> Mapping[str, str]:
        """What each container wrote, by `pod/container`; kept after the end."""
        return self._kept_logs or self._read_logs()

    def logs_of(self, job: str) -> str:
        """What all pods of a Job wrote, the oldest first."""
        own = [pod["metadata"]["name"] for pod, _ in self._runs.values() if pod["metadata"]["labels"][JOB_LABEL] == job]
        return "".join(text for name, text in self.logs.items() if name.partition("/")[0] in own)

    def _read_logs(self) -> dict[str, str]:
        found = {}
        for pod, run in list(self._runs.values()):
            for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
                found[f"{pod['metadata']['name']}/{container['name']}"] = run.log(container["name"])
        return found

    def _look_out(self) -> None:
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        while not self._stopped.wait(INTERVAL_S):
            try:
                pods = self._api.pods(JOB_LABEL)
            except HTTPError:  # the API server is away: the next look may find it
                continue
            except ApiException as error:
                if error.status in STARTING_UP:
                    continue
                raise
            self._present = {each["metadata"]["uid"] for each in pods if "deletionTimestamp" not in each["metadata"]}
            for pod in pods:
                if pod["metadata"]["uid"] in self._present - self._runs.keys() and self._is_to_run(pod):
                    self._start(pod)

    def _is_to_run(self, pod: Document) -> bool:
        return pod["status"]["phase"] == "Pending" and self._runs_job(pod["metadata"]["labels"][JOB_LABEL])

    def _start(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        places = Places(self._folder / "pods" / uid, self._claims, self._folder / "claims", self._addresses)
        run = PodRun(self._api, pod, places, self._environment, lambda: self._stopped.is_set() or uid not in self._present)
        self._runs[uid] = (pod, run)
        thread = threading.Thread(target=self._watched, args=(run.run,), name=pod["metadata"]["name"], daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watched(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._failure = error
