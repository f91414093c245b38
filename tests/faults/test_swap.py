"""Another bundle is promoted, and the first one again, while requests of every protocol run."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import grpc
import httpx
import polars as pl
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc

from endcap.catalogue.item_updates import UPDATES_FILE, write_updates
from endcap.release.bundle.manifest import open_bundle
from endcap.release.bundle.promotion import promote_bundle, served_bundle
from endcap.release.bundle.release import install_bundle
from endcap_benchmarks.synthetic.bundle import DATA_END
from tests.faults.deployment import Deployment
from tests.faults.load import Load, Outcomes, instances
from tests.faults.made_home import title
from tests.waiting import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
TITLE_IN_REASON = re.compile(r"(?:Goes with|Similar to) (Item (\d+) of .*)")


def require_one_bundle(answer: dict[str, Any]) -> None:
    """Every title of an answer is the one that the bundle it names gives the item."""
    bundle = answer["bundle"]
    for item in answer["recommendations"]:
        assert item["title"] == title(bundle, int(item["item_id"][1:])), answer
        if found := TITLE_IN_REASON.fullmatch(item["reason"]):
            assert found[1] == title(bundle, int(found[2])), answer


def infer_grpc(stub: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def column(name: str, values: list[str]) -> pb.ModelInferRequest.InferInputTensor:
        contents = pb.InferTensorContents(bytes_contents=[value.encode() for value in values])
        return pb.ModelInferRequest.InferInputTensor(name=name, shape=[len(values)], datatype="BYTES", contents=contents)

    inputs = [
        column("user_id", [row.get("user_id", "") for row in rows]),
        column("surface", [row.get("surface", "home") for row in rows]),
        column("item_ids", [json.dumps(row.get("item_ids", [])) for row in rows]),
        column("filters", [json.dumps(row.get("filters", {})) for row in rows]),
    ]
    response = stub.ModelInfer(pb.ModelInferRequest(model_name="endcap", inputs=inputs), timeout=10)
    outputs = {output.name: output for output in response.outputs}
    answers = [json.loads(value) for value in outputs["answer"].contents.bytes_contents]
    ids = [value.decode() for value in outputs["item_id"].contents.bytes_contents]
    width = outputs["item_id"].shape[1]
    for row, answer in enumerate(answers):
        listed = [item["item_id"] for item in answer["recommendations"]]
        assert ids[row * width : row * width + len(listed)] == listed
    return answers


class ManyLists:
    """Asks for several lists at once, over V1 and V2 in turn, until it is told to stop."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failures: list[str] = []
        self.bundles: list[tuple[str, str]] = []

    @contextmanager
    def running(self) -> Iterator["ManyLists"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(30)

    def _run(self) -> None:
        wanted = instances(seed=2)
        with grpc.insecure_channel(f"127.0.0.1:{self._deployment.grpc_port}") as channel, httpx.Client(timeout=10) as client:
            stub = grpc_predict_v2_pb2_grpc.GRPCInferenceServiceStub(channel)
            while not self._stop.wait(0.1):
                rows = [next(wanted) for _ in range(3)]
                try:
                    self._keep("grpc", infer_grpc(stub, rows))
                    response = client.post(f"{self._deployment.url}/v1/models/endcap:predict", json={"instances": rows})
                    self._keep("http", response.json()["predictions"] if response.status_code == 200 else self._refused(response))
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                        self.failures.append(repr(error))
                except Exception as error:
                    self.failures.append(repr(error))

    def _refused(self, response: httpx.Response) -> list[dict[str, Any]]:
        if response.status_code != 429:
            self.failures.append(f"{response.status_code}: {response.text}")
        return []

    def _keep(self, protocol: str, answers: list[dict[str, Any]]) -> None:
        for answer in answers:
            require_one_bundle(answer)
            assert answer["recommendations"], answer
        names = {answer["bundle"] for answer in answers}
        if len(names) > 1:
            self.failures.append(f"one request was answered by {names}")
        self.bundles += [(protocol, name) for name in names]


def served(deployment: Deployment) -> str:
    return str(deployment.predict({"user_id": "U1"})[0]["bundle"])


def test_swap_there_and_back_under_load(deployment: Deployment, load: Load) -> None:
    first = promoted_copy(deployment)
    second = open_bundle(deployment.settings.bundles_dir / "2")
    deployment.build_collection(2, second.path)
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    start = time.monotonic()
    with ManyLists(deployment).running() as many:
        for bundle in (second, first):
            promote_bundle(bundle, deployment.settings.served_dir)
            until(lambda name=bundle.manifest.name: served(deployment) == name, "the bundle was not taken up", 90)
            load.wait_for(Outcomes.are_sound, "sound answers of the new bundle", time.monotonic())
            load.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", time.monotonic())
    assert not many.failures, many.failures[:3]
    assert {("grpc", "endcap-1"), ("grpc", "endcap-2"), ("http", "endcap-1"), ("http", "endcap-2")} <= set(many.bundles)
    seen = load.outcomes(start)
    seen.require_sound()
    for each in seen.answered().each:
        require_one_bundle(each.answer)
    order = [each.answer["bundle"] for each in seen.answered().each]
    assert {"endcap-1", "endcap-2"} == set(order)


SOLD_OUT, GIVEN = "I000001", ["I000001", "I000002", "I000003"]


def shows(deployment: Deployment) -> set[str]:
    """Which of a few items may be shown."""
    answer = deployment.predict({"surface": "search", "item_ids": GIVEN, "context": {"page": str(time.monotonic_ns())}})[0]
    return {item["item_id"] for item in answer["recommendations"]}


@pytest.fixture
def sold_out(deployment: Deployment) -> Iterator[None]:
    """An item is sold out since the bundles were made."""
    path = deployment.settings.live_dir / UPDATES_FILE
    row = {"item_id": SOLD_OUT, "updated_at": DATA_END + timedelta(days=1), "availability": "out_of_stock"}
    write_updates(path, pl.DataFrame([row]))
    until(lambda: SOLD_OUT not in shows(deployment), "the update did not hold", 20)
    yield
    write_updates(path, pl.DataFrame([row | {"availability": "in_stock"}]))
    until(lambda: SOLD_OUT in shows(deployment), "the update did not hold", 20)
    path.unlink()


@pytest.mark.usefixtures("sold_out")
def test_sold_out_item_stays_away_over_a_swap(deployment: Deployment) -> None:
    first = promoted_copy(deployment)
    second = open_bundle(deployment.settings.bundles_dir / "2")
    deployment.build_collection(2, second.path)
    promote_bundle(second, deployment.settings.served_dir)
    shown: set[str] = set()

    def is_switched() -> bool:
        shown.update(shows(deployment))
        return served(deployment) == "endcap-2"

    try:
        until(is_switched, "the bundle was not taken up", 90)
        for _ in range(20):
            shown |= shows(deployment)
        assert shown == {"I000002", "I000003"}
    finally:
        promote_bundle(first, deployment.settings.served_dir)
        until(lambda: served(deployment) == "endcap-1", "the first bundle was not taken up again", 90)


@pytest.mark.usefixtures("sold_out")
def test_sold_out_item_stays_away_over_a_start(deployment: Deployment) -> None:
    deployment.transformer.terminate()
    assert deployment.transformer.wait() == 0
    deployment.start_transformer()
    shown = [shows(deployment) for _ in range(20)]
    assert all(each == {"I000002", "I000003"} for each in shown)


def promoted_copy(deployment: Deployment) -> Any:
    """The first bundle where it survives the promotion of another."""
    return install_bundle(served_bundle(deployment.settings.served_dir).path, deployment.settings.bundles_dir)


def test_bundle_promoted_while_milvus_is_away_is_taken_up_later(deployment: Deployment, load: Load) -> None:
    first = promoted_copy(deployment)
    second = open_bundle(deployment.settings.bundles_dir / "2")
    deployment.build_collection(2, second.path)
    start = time.monotonic()
    deployment.milvus.kill()
    try:
        promote_bundle(second, deployment.settings.served_dir)
        until(lambda: "promoted bundle" in deployment.transformer.written(), "the transformer did not look", 30)
        deployment.milvus.start()
        deployment.milvus.wait_until_ready()
        until(lambda: served(deployment) == "endcap-2", "the bundle was not taken up once Milvus was back", 45)
    finally:
        promote_bundle(first, deployment.settings.served_dir)
        if deployment.milvus.code() is not None:
            deployment.milvus.start()
            deployment.milvus.wait_until_ready()
    until(lambda: served(deployment) == "endcap-1", "the first bundle was not taken up again", 90)
    seen = load.outcomes(start)
    seen.require_full()
    assert {each.answer["bundle"] for each in seen.answered().each} == {"endcap-1", "endcap-2"}
