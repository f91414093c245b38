"""Stands in for nodes, their kubelets and the scheduler: pods of a namespace are bound, started, probed, drained and ended.

`with Nodes(cluster, namespace, count=3) as nodes:` registers Node objects; `kubectl cordon` and `drain` with the names in `nodes.names` do
what they do elsewhere: evictions and disruption budgets are the API server's, pods are made anew by the real controllers. Behind each pod
is a small server on loopback; `nodes.port_of(pod_ip)` says where. The rules and what they rest on: `docs/decisions/0022-nodes-in-tests.md`.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from tests.cluster.cluster import Cluster
from tests.cluster.nodes import node_objects
from tests.cluster.nodes.background_loop import BackgroundLoop
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.object_watch import ObjectWatch
from tests.cluster.nodes.pod_lifecycle import Addresses, PodLifecycle
from tests.cluster.nodes.scheduler import bind, choose_node, leave_pending

START_S, ANSWER_S = 1.0, 0.02
GONE = (404, 409)


class Nodes:
    """At work between `__enter__` and `__exit__`, which deletes the pods and the nodes and raises what went wrong in its loop.

    Args:
        cluster: its own connections are made for the nodes.
        namespace: whose pods are bound; others' stay pending.
        count: number of nodes.
        selector: labels of the pods that are bound, all pods of the namespace when empty.

    Attributes:
        names: of the nodes.
        loop: in which the pods' servers run.
        start_s: seconds from the start of a container until its server is ready, for pods that start from now on.
        answer_s: seconds that an answer takes, for the same.
    """

    def __init__(self, cluster: Cluster, namespace: str, count: int = 3, selector: str = "") -> None:
        self.names = [f"{namespace}-node-{number}" for number in range(1, count + 1)]
        self.loop = BackgroundLoop()
        self.start_s, self.answer_s = START_S, ANSWER_S
        self._api = NodeApi(cluster, namespace)
        pods = f"/api/v1/namespaces/{namespace}/pods"
        self._watches = [
            ObjectWatch(cluster, node_objects.NODES, lambda *change: self.loop.call(self._node_changed, *change)),
            ObjectWatch(cluster, pods, lambda *change: self.loop.call(self._pod_changed, *change), selector),
        ]
        self._nodes: dict[str, Document] = {}
        self._pods: dict[str, Document] = {}
        self._lifecycles: dict[str, tuple[PodLifecycle, asyncio.Task[None]]] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        for number, name in enumerate(self.names, 1):
            node_objects.register(self._api, name, f"192.168.0.{number}")
        self.loop.__enter__()
        self.loop.call(lambda: self.loop.start(self._renew_leases()))
        for watch in self._watches:
            watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for watch in self._watches:
            watch.stop()
        try:
            self.loop.__exit__(kind, error, trace)
        finally:
            for pod in self._api.pods():
                if pod["spec"].get("nodeName") in self.names:
                    self._passing_over(self._api.delete_pod, pod)
            for name in self.names:
                node_objects.unregister(self._api, name)
            self._api.close()

    def port_of(self, pod_ip: str) -> int | None:
        """Port of loopback on which the pod with this address listens; None when none does."""
        lifecycles = (lifecycle for lifecycle, _ in self._lifecycles.values())
        return next((each.server.port for each in lifecycles if each.addresses.pod == pod_ip), None)

    def _node_changed(self, kind: str, node: Document) -> None:
        name = node["metadata"]["name"]
        if name not in self.names:
            return
        if kind == "DELETED":
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = node
        for pod in list(self._pods.values()):
            self._schedule(pod)

    def _pod_changed(self, kind: str, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED":
            self._pods.pop(uid, None)
            if uid in self._lifecycles:
                self._lifecycles[uid][1].cancel()
            return
        self._pods[uid] = pod
        self._schedule(pod)
        if pod["spec"].get("nodeName") in self.names and uid not in self._lifecycles:
            self._begin(pod)
        if "deletionTimestamp" in pod["metadata"] and uid in self._lifecycles:
            self._lifecycles[uid][0].delete(pod)

    def _schedule(self, pod: Document) -> None:
        if pod["spec"].get("nodeName") or "deletionTimestamp" in pod["metadata"]:
            return
        node = choose_node(pod, self._nodes.values(), self._pods.values())
        if node is None:
            self.loop.start(self._request(leave_pending, self._api, pod))
            return
        pod["spec"]["nodeName"] = node  # as if it was bound already: the next pod must not wait for the watch
        self.loop.start(self._request(bind, self._api, pod, node))

    def _begin(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        number = next(self._numbers)
        addresses = Addresses(f"10.244.{number // 250}.{number % 250 + 1}", f"192.168.0.{self.names.index(pod['spec']['nodeName']) + 1}")
        lifecycle = PodLifecycle(self._api, pod, addresses, start_s=self.start_s, answer_s=self.answer_s)
        task = self.loop.start(lifecycle.run())
        self._lifecycles[uid] = (lifecycle, task)
        task.add_done_callback(lambda _: self._lifecycles.pop(uid, None))

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(node_objects.RENEWAL_S)
            for name in self.names:
                await self._request(node_objects.renew, self._api, name)

    async def _request(self, request: Callable[..., None], *arguments: Any) -> None:
        await asyncio.to_thread(self._passing_over, request, *arguments)

    @staticmethod
    def _passing_over(request: Callable[..., None], *arguments: Any) -> None:
        """Make a request whose object may be gone, or whose API server may be away: the next change or look makes it again."""
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        with contextlib.suppress(HTTPError):
            try:
                request(*arguments)
            except ApiException as refused:
                if refused.status not in (*GONE, 429, 500, 503):
                    raise
