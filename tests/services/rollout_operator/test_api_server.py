"""What the API server answers: what is not there is none only where it may be missing, and whatever else fails is an error."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import Settings
from endcap.release.rollout.admission import Refused
from endcap.release.rollout.api_server import ROLLOUTS, ApiServer, Conflict, open_api_server


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that stands at the end of the path."""

    body: ClassVar[bytes] = json.dumps({"message": "as asked"}).encode()

    def do_GET(self) -> None:
        self.send_response(int(self.path.partition("?")[0].rpartition("-")[2]))
        self.end_headers()
        self.wfile.write(self.body)

    do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    from kubernetes import client

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        configuration = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
        configuration.retries = False
        yield ApiServer(client.ApiClient(configuration), "shop")
        server.shutdown()


def test_an_object_that_is_not_there_is_none(api_server: ApiServer) -> None:
    assert api_server.get(ROLLOUTS, "endcap-404") is None
    api_server.delete(ROLLOUTS, "endcap-404")


@pytest.mark.parametrize(("status", "error"), [(403, Refused), (409, Conflict), (500, DependencyUnavailable), (503, DependencyUnavailable)])
def test_an_object_that_is_not_given_is_an_error_and_not_none(api_server: ApiServer, status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match="as asked"):
        api_server.get(ROLLOUTS, f"endcap-{status}")


def test_an_object_that_is_to_be_changed_has_to_be_there(api_server: ApiServer) -> None:
    with pytest.raises(InvalidInput, match="there is no such object"):
        api_server.merge(ROLLOUTS, "endcap-404", {})


def test_an_answer_that_is_no_document_is_told_by_its_reason(api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "body", b"<html>")
    with pytest.raises(DependencyUnavailable, match="answers 500: Internal Server Error"):
        api_server.get(ROLLOUTS, "endcap-500")


def test_an_api_server_that_does_not_answer_is_an_error_and_not_none() -> None:
    from kubernetes import client

    configuration = client.Configuration(host="http://127.0.0.1:1")
    configuration.retries = False
    with pytest.raises(DependencyUnavailable, match="the API server does not answer"):
        ApiServer(client.ApiClient(configuration), "shop").get(ROLLOUTS, "endcap-2")


def test_outside_a_pod_the_kubeconfig_counts(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "shop"}}]
    config = {
        "current-context": "here",
        "contexts": contexts,
        "clusters": [{"name": "here", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {}}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert open_api_server(Settings()).namespace == "shop"
