"""Addresses: stores answer in their own protocol, and names that only pods know are no gap by themselves."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings
from endcap.doctor.check import Outcome
from endcap.doctor.checks import kubeflow_pipelines, prometheus, schema_registry, stores
from endcap.doctor.cluster import NotAllowed
from endcap.doctor.finding import State
from endcap.doctor.reach import service_of
from tests.endcap.doctor.made_cluster import items, made_cluster, made_release, outcome

Talk = Callable[[socket.socket], None]


@contextmanager
def listening(talk: Talk) -> Iterator[int]:
    """A server on loopback; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """An HTTP server on loopback; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def refusing_milvus() -> Iterator[int]:
    """A gRPC server that knows nobody; its port."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    class Refusing(grpc.GenericRpcHandler):
        def service(self, _: Any) -> Any:
            def refuse(_: Any, context: Any) -> None:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")

            return grpc.unary_unary_rpc_method_handler(refuse)

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Refusing()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


def redis(password: str = "") -> Talk:
    def talk(connection: socket.socket) -> None:
        is_in = not password
        while request := connection.recv(512):
            if b"AUTH" in request:
                is_in = request.split(b"\r\n")[4].decode() == password
                connection.sendall(b"+OK\r\n" if is_in else b"-WRONGPASS invalid\r\n")
            else:
                connection.sendall(b"+PONG\r\n" if is_in else b"-NOAUTH Authentication required.\r\n")

    return talk


def kafka(connection: socket.socket) -> None:
    request = connection.recv(512)
    if request:
        connection.sendall(struct.pack(">i", 6) + request[8:12] + b"\x00\x00")


def garbage(connection: socket.socket) -> None:
    connection.recv(512)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _outcome(values: dict[str, Any], part: str, answers: dict[str, Any] | None = None) -> Outcome:
    (check,) = [each for each in stores.checks(made_release(values)) if each.part == part]
    found = check.look(made_cluster(answers or {}))
    assert found is not None
    return found


def _redis(port: int, **auth: str) -> dict[str, Any]:
    return {"redis": {"host": "127.0.0.1", "port": port, **({"auth": auth} if auth else {})}}


def _secret(**data: str) -> dict[str, Any]:
    import base64

    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def test_redis_is_asked_with_the_password_of_its_secret() -> None:
    secret = "/api/v1/namespaces/shop/secrets/cache"
    named = {"secretName": "cache", "key": "redis"}
    with listening(redis("right")) as port:
        assert _outcome(_redis(port, **named), "Redis", {secret: _secret(redis="right")}) == Outcome(State.OK, "answers PING")
        wrong = _outcome(_redis(port, **named), "Redis", {secret: _secret(redis="wrong")})
        assert wrong.state is State.GAP
        assert "WRONGPASS" in wrong.found
        assert "wrong" not in wrong.found.replace("WRONGPASS", "")
        assert _outcome(_redis(port), "Redis").state is State.GAP
        unread = _outcome(_redis(port, **named), "Redis", {secret: 403})
        assert (unread.state, "may not be read" in unread.found) == (State.OK, True)


def test_redis_is_asked_at_the_address_of_its_secret() -> None:
    secret = "/api/v1/namespaces/shop/secrets/whole"
    values = {"redis": {"host": "", "address": {"secretName": "whole", "key": "address"}}}
    with listening(redis("right")) as port:
        address = f'127.0.0.1:{port},password="right"'
        assert _outcome(values, "Redis", {secret: _secret(address=address)}).state is State.OK
    with pytest.raises(NotAllowed, match="cannot be read"):
        _outcome(values, "Redis", {secret: 403})


def test_what_listens_and_is_not_the_store_is_a_gap() -> None:
    with listening(garbage) as port:
        for part, values in {
            "Redis": _redis(port),
            "Kafka": {"kafka": {"bootstrap": f"127.0.0.1:{port}"}},
            "Milvus": {"milvus": {"host": "127.0.0.1", "port": port}},
        }.items():
            found = _outcome(values, part)
            assert found.state is State.GAP, part
            assert found.fix, part


def test_a_store_without_an_address_is_a_gap() -> None:
    for part, value in {"Redis": "redis", "Milvus": "milvus"}.items():
        assert f"give {value}.host" in _outcome({value: {"host": ""}}, part).fix


def test_every_kafka_broker_of_the_values_is_asked() -> None:
    with listening(kafka) as port:
        place = f"127.0.0.1:{port}"
        assert _outcome({"kafka": {"bootstrap": place}}, "Kafka") == Outcome(State.OK, "a broker answers")
        release = made_release({"kafka": {"bootstrap": f"{place},127.0.0.1:{free_port()}"}})
        states = [each.look(made_cluster({})) for each in stores.checks(release) if each.part == "Kafka"]
        assert [each.state for each in states if each] == [State.OK, State.GAP]
        secured = {"kafka": {"bootstrap": place, "clientConfig": {"secretName": "client"}}}
        assert "not asked more" in _outcome(secured, "Kafka").found


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("redis", ("redis", "shop", True)),
        ("redis.cache.svc", ("redis", "cache", True)),
        ("redis.cache.svc.cluster.local", ("redis", "cache", True)),
        ("redis-0.redis.cache.svc", ("redis", "cache", True)),
        ("redis.cache", ("redis", "cache", False)),
        ("redis.shop.example.com", None),
        ("10.0.0.7", None),
        ("localhost", None),
    ],
)
def test_names_of_services_are_known(host: str, service: tuple[str, str, bool] | None) -> None:
    found = service_of(host, "shop")
    assert (found and (found.name, found.namespace, found.is_certain)) == service


def test_a_service_that_answers_to_pods_only_is_a_warning_with_a_command() -> None:
    values = {"milvus": {"host": "milvus.vectors.svc"}}
    place = "/api/v1/namespaces/vectors/services/milvus"
    slices = "/apis/discovery.k8s.io/v1/namespaces/vectors/endpointslices"
    endpoints = items({"endpoints": [{"conditions": {"ready": True}}, {"conditions": {"ready": False}}]})
    there = _outcome(values, "Milvus", {place: {}, slices: endpoints})
    assert there.state is State.WARNING
    assert "1 ready endpoint" in there.found
    assert "nc -zvw3 milvus.vectors.svc 19530" in there.fix
    assert _outcome(values, "Milvus", {}).state is State.GAP
    assert _outcome(values, "Milvus", {place: 403}).state is State.WARNING


def test_a_host_that_is_not_known_here_is_a_warning_and_one_that_refuses_is_a_gap() -> None:
    assert _outcome({"redis": {"host": "redis.shop.invalid"}}, "Redis").state is State.WARNING
    assert _outcome(_redis(free_port()), "Redis").state is State.GAP


def test_two_words_are_a_service_only_where_there_is_such_a_namespace() -> None:
    values = {"redis": {"host": "cache.invalid"}}
    assert _outcome(values, "Redis").state is State.WARNING
    assert _outcome(values, "Redis", {"/api/v1/namespaces/invalid": {"metadata": {}}}).state is State.GAP


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, '{"status": "success", "data": {"version": "3.5.0"}}'), State.OK),
        ((401, ""), State.GAP),
        ((200, "<html>"), State.WARNING),
    ],
)
def test_prometheus_has_to_answer_without_credentials(answer: tuple[int, str], state: State) -> None:
    with answering({"/api/v1/status/buildinfo": answer}) as url:
        release = made_release({"monitoring": {"prometheusUrl": url}, "rollouts": {"operator": {"enabled": True}}})
        found = outcome(prometheus.checks(release), "address", made_cluster({}))
    assert found is not None
    assert found.state is state


@pytest.mark.parametrize(
    ("status", "login", "state"),
    [
        (200, "", State.OK),
        (401, "registry-login", State.OK),
        (401, "", State.GAP),
        (404, "", State.GAP),
        (500, "registry-login", State.GAP),
    ],
)
def test_a_schema_registry_has_to_answer_as_confluents_does(status: int, login: str, state: State) -> None:
    with answering({"/apis/ccompat/v7/subjects": (status, "[]")}) as url:
        named = {"schemaRegistry": {"url": f"{url}/apis/ccompat/v7/", "auth": {"secretName": login}}}
        found = outcome(schema_registry.checks(made_release(named)), "address", made_cluster({}))
    assert found is not None
    assert found.state is state


def test_without_a_schema_registry_nobody_looks_for_one() -> None:
    assert list(schema_registry.checks(made_release({}))) == []


@pytest.mark.parametrize(
    ("answer", "namespace", "state"),
    [
        ((200, '{"multi_user": false}'), "", State.OK),
        ((200, "{}"), "", State.OK),
        ((200, '{"multi_user": true}'), "", State.WARNING),
        ((200, '{"multi_user": true}'), "profile", State.OK),
        ((403, ""), "", State.WARNING),
        ((404, ""), "", State.GAP),
        ((200, "<html>"), "", State.GAP),
    ],
)
def test_kubeflow_pipelines_says_whether_it_serves_many_users(answer: tuple[int, str], namespace: str, state: State) -> None:
    with answering({"/apis/v2beta1/healthz": answer}) as url:
        release = made_release({"pipelines": {"enabled": True, "host": url, "namespace": namespace}})
        found = outcome(kubeflow_pipelines.checks(release), "address", made_cluster({}))
    assert found is not None
    assert found.state is state


@pytest.mark.parametrize(
    ("arguments", "state"),
    [([], State.GAP), (["--pipelinesStoreKubernetes=false"], State.GAP), (["--pipelinesStoreKubernetes=true"], State.OK)],
)
def test_kubeflow_pipelines_has_to_read_pipelines_from_kubernetes(arguments: list[str], state: State) -> None:
    pod = {"containers": [{"name": "ml-pipeline-api-server", "image": "kfp-api-server:2.5.0", "args": arguments}]}
    deployment = {
        "metadata": {"name": "ml-pipeline", "namespace": "kubeflow"},
        "spec": {"template": {"spec": pod}},
        "status": {"availableReplicas": 1},
    }
    cluster = made_cluster({"/apis/apps/v1/deployments": items(deployment)})
    found = outcome(kubeflow_pipelines.checks(made_release(profile="gpu")), "native", cluster)
    assert found is not None
    assert found.state is state


def test_a_milvus_says_its_version(milvus: MilvusSettings) -> None:
    found = _outcome({"milvus": {"host": milvus.host, "port": milvus.port}}, "Milvus")
    assert found.state is State.OK
    assert found.found.startswith("Milvus 2.") or found.found.startswith("Milvus v2.")


@pytest.mark.parametrize(("secret", "state"), [(403, State.OK), (None, State.GAP)])
def test_a_milvus_that_wants_a_token_is_there_when_the_token_may_not_be_read(secret: int | None, state: State) -> None:
    with refusing_milvus() as port:
        named = {"auth": {"secretName": "vectors"}} if secret else {}
        found = _outcome(
            {"milvus": {"host": "127.0.0.1", "port": port, **named}}, "Milvus", {"/api/v1/namespaces/shop/secrets/vectors": secret}
        )
    assert found.state is state
    assert ("wants the token" in found.found) == (state is State.OK)
