"""Objects of one kind as they come, change and go: a list, then a watch from there on, as Kubernetes' own components do it."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.nodes.node_api import Document
from tests.cluster.rest import JSON

WATCH_S = 10
"""Length of one watch; the next goes on where it ended. The thread ends so long after `stop` at most."""
RETRY_S = 0.2
GONE = 410

Changed = Callable[[str, Document], None]
"""Gets `ADDED`, `MODIFIED` or `DELETED` and the object."""


class ObjectWatch:
    """Calls back in a thread of its own until `stop`; goes on when the API server comes back.

    Args:
        cluster: its own connection is made for the watch.
        path: of the collection, such as `/api/v1/namespaces/shop/pods`.
        changed: gets each change; after a new list, only what differs from before.
        selector: labels, all objects when empty.
    """

    def __init__(self, cluster: Cluster, path: str, changed: Changed, selector: str = "") -> None:
        self._client = cluster.api_client()
        self._path = path
        self._changed = changed
        self._query = [("labelSelector", selector)] if selector else []
        self._known: dict[str, Document] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{path.rpartition('/')[2]}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No change is passed on any more."""
        self._stopped.set()

    def _run(self) -> None:
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        version = ""
        with self._client:
            while not self._stopped.is_set():
                try:
                    version = self._followed(version) if version else self._listed()
                except (HTTPError, ApiException):  # the API server is away, or has forgotten the version: a new list tells
                    version = ""
                    self._stopped.wait(RETRY_S)

    def _listed(self) -> str:
        answer = self._call(self._query, response_type="object")
        present = {each["metadata"]["uid"]: each for each in answer["items"]}
        for uid in self._known.keys() - present.keys():
            self._pass_on("DELETED", self._known[uid])
        for uid, each in present.items():
            known = self._known.get(uid)
            if known is None or known["metadata"]["resourceVersion"] != each["metadata"]["resourceVersion"]:
                self._pass_on("MODIFIED" if known else "ADDED", each)
        return str(answer["metadata"]["resourceVersion"])

    def _followed(self, version: str) -> str:
        """The version after one watch; empty when a list is needed."""
        started = time.monotonic()
        query = [
            *self._query,
            ("watch", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(WATCH_S)),
            ("allowWatchBookmarks", "true"),
        ]
        answer = self._call(query, _preload_content=False)
        with contextlib.closing(answer):
            for event in _events(answer.stream()):
                if self._stopped.is_set():
                    return version
                if event["type"] == "ERROR":
                    return ""
                version = str(event["object"]["metadata"]["resourceVersion"])
                if event["type"] != "BOOKMARK":
                    self._pass_on(event["type"], event["object"])
        if time.monotonic() - started < RETRY_S:
            self._stopped.wait(RETRY_S)
        return version

    def _pass_on(self, kind: str, found: Document) -> None:
        uid = found["metadata"]["uid"]
        if kind == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = found
        if not self._stopped.is_set():
            self._changed(kind, found)

    def _call(self, query: list[tuple[str, str]], **options: object) -> Any:
        headers = {"Accept": JSON}
        timeouts = (5, WATCH_S + 5)
        found, *_ = self._client.call_api(
            self._path,
            "GET",
            query_params=query,
            header_params=headers,
            auth_settings=["BearerToken"],
            _request_timeout=timeouts,
            **options,
        )
        return found


def _events(chunks: Iterator[bytes]) -> Iterator[Document]:
    left = b""
    for chunk in chunks:
        *lines, left = (left + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)
