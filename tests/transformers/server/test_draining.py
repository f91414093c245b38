"""A real process on its way out."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc

from endcap.core.ports import free_ports
from endcap.core.settings import ResilienceSettings, ServingSettings
from tests.transformers.canned_server import serve
from tests.waiting import until

START_TIMEOUT_S = 120
STEP_TIMEOUT_S = 30
PREDICT = "/v1/models/endcap:predict"


@dataclass
class Server:
    """One process; a list takes as long as it is told to."""

    process: BaseProcess
    http_port: int
    grpc_port: int
    threads: ThreadPoolExecutor
    client: httpx.Client

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def ask(self) -> Future[httpx.Response]:
        body = {"instances": [{"user_id": "U1", "k": 2}]}
        return self.threads.submit(self.client.post, f"{self.http}{PREDICT}", json=body)

    def ask_grpc(self) -> Future[pb.ModelInferResponse]:
        user = pb.ModelInferRequest.InferInputTensor(
            name="user_id", shape=[1], datatype="BYTES", contents=pb.InferTensorContents(bytes_contents=[b"U2"])
        )
        return self.threads.submit(self.call, "ModelInfer", pb.ModelInferRequest(model_name="endcap", inputs=[user]))

    def call(self, method: str, request: object) -> object:
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            stub = grpc_predict_v2_pb2_grpc.GRPCInferenceServiceStub(channel)
            return getattr(stub, method)(request, timeout=STEP_TIMEOUT_S)

    def status(self, path: str) -> int:
        return self.client.get(f"{self.http}{path}").status_code

    def metric(self, name: str) -> float:
        lines = self.client.get(f"{self.http}/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    def wait_for(self, name: str, value: float) -> None:
        until(lambda: self.metric(name) == value, f"{name} is {value}", STEP_TIMEOUT_S)

    def listens(self) -> bool:
        try:
            self.status("/v2/health/live")
        except httpx.TransportError:
            return False
        return True

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        os.kill(self.process.pid, number)

    def exit_code(self, within_s: float = STEP_TIMEOUT_S) -> int | None:
        self.process.join(within_s)
        return self.process.exitcode


def start(takes_s: float, unready_s: float, drain_s: float) -> Server:
    """The processes are forked from one that has everything imported."""
    http_port, grpc_port = free_ports(2)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.transformers.canned_server"])
    serving = ServingSettings(http_port=http_port, grpc_port=grpc_port)
    resilience = ResilienceSettings(unready_seconds=unready_s, drain_seconds=drain_s)
    process = context.Process(target=serve, args=(serving, resilience, takes_s), daemon=True)
    process.start()
    return Server(process, http_port, grpc_port, ThreadPoolExecutor(4), httpx.Client(timeout=STEP_TIMEOUT_S))


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    """One a test."""
    started = {
        "patient": start(takes_s=2.0, unready_s=4.0, drain_s=20),
        "stubborn": start(takes_s=60, unready_s=0, drain_s=60),
        "hurried": start(takes_s=60, unready_s=0, drain_s=0.5),
    }
    try:
        for name, server in started.items():
            until(lambda each=server: each.listens() or not each.process.is_alive(), f"the {name} server listens", START_TIMEOUT_S)
            assert server.process.is_alive()
        yield started
    finally:
        for server in started.values():
            server.process.kill()
            server.process.join()
            server.threads.shutdown(wait=False, cancel_futures=True)


def test_readiness_goes_first_and_what_is_in_flight_is_answered(servers) -> None:
    server = servers["patient"]
    assert server.status("/v2/health/ready") == 200
    assert server.metric("endcap_draining") == 0
    before, before_grpc = server.ask(), server.ask_grpc()
    server.wait_for("endcap_in_flight_requests", 2)
    server.signal()
    server.wait_for("endcap_draining", 1)
    assert server.status("/v2/health/ready") == 503
    assert server.status("/v1/models/endcap") == 503
    assert server.status("/v2/models/endcap/ready") == 503
    assert not server.call("ServerReady", pb.ServerReadyRequest()).ready
    assert not server.call("ModelReady", pb.ModelReadyRequest(name="endcap")).ready
    assert server.status("/v2/health/live") == 200
    after = server.ask()  # load balancers have not noticed yet
    assert before.result().status_code == after.result().status_code == 200
    assert after.result().headers["connection"] == "close"
    assert before_grpc.result().model_name == "endcap"
    assert server.exit_code() == 0
    assert not server.listens()


def test_a_second_signal_ends_at_once(servers) -> None:
    server = servers["stubborn"]
    waiting = server.ask()
    server.wait_for("endcap_in_flight_requests", 1)
    server.signal()
    assert server.exit_code(within_s=1) is None
    server.signal()
    assert server.exit_code() == -signal.SIGTERM
    assert isinstance(waiting.exception(), httpx.TransportError)


def test_what_takes_longer_than_the_drain_is_cut_off(servers) -> None:
    server = servers["hurried"]
    waiting, waiting_grpc = server.ask(), server.ask_grpc()
    server.wait_for("endcap_in_flight_requests", 2)
    server.signal(signal.SIGINT)
    assert server.exit_code() == 0
    assert waiting.exception() is not None or waiting.result().status_code >= 500
    assert waiting_grpc.exception() is not None
