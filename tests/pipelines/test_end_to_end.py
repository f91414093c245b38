"""The whole way on a sample of the real data: the commands of docs/quickstart.md, then predict calls against the real processes."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import psutil
import pytest

from endcap.core.ports import free_ports
from tests.serving_environment import SERVING_PORTS, UNHURRIED
from tests.shared_milvus import kept_folder, share_unpacked_milvus
from tests.waiting import until

pytestmark = [pytest.mark.processes, pytest.mark.pipeline, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "docs" / "quickstart.md"


@dataclass(frozen=True)
class Installation:
    """A home folder in which the quickstart's commands were run, and the environment they ran in."""

    home: Path
    environment: dict[str, str]

    def run(self, command: str, expected_exit: int = 0) -> str:
        done = subprocess.run(shlex.split(command), cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == expected_exit, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, command: str) -> Any:
        return json.loads(self.run(f"{command} --json"))

    @property
    def http_port(self) -> str:
        return self.environment["ENDCAP_SERVING__HTTP_PORT"]


def documented_commands(section: str) -> list[str]:
    """The commands in the console blocks of one section of the quickstart."""
    text = QUICKSTART.read_text(encoding="utf-8").split(f"\n## {section}", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Sections 1 and 2 of the quickstart, in a home of their own."""
    home = tmp_path_factory.mktemp("home")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    ports = {name: str(port) for name, port in zip(SERVING_PORTS, free_ports(len(SERVING_PORTS)), strict=True)}
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENDCAP_HOME": str(home),
        **ports,
        **UNHURRIED,
    }
    installation = Installation(home, environment)
    for command in documented_commands("1.") + documented_commands("2."):
        installation.run(command)
    return installation


@pytest.fixture(scope="module")
def served(trained: Installation) -> Iterator[Installation]:
    """Section 3 of the quickstart; afterwards nothing of it may be left."""
    (command,) = [command for command in documented_commands("3.") if "serve" in command]
    server = subprocess.Popen(shlex.split(command), cwd=ROOT, env=trained.environment, start_new_session=True)
    try:
        wait_until_ready(server, f"http://127.0.0.1:{trained.http_port}/v2/health/ready")
        family = psutil.Process(server.pid).children(recursive=True)
        yield trained
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    _, left = psutil.wait_procs(family, timeout=10)
    assert not left


def wait_until_ready(server: "subprocess.Popen[bytes]", url: str, timeout_s: float = 120) -> None:
    def is_ready() -> bool:
        assert server.poll() is None, "`endcap serve` ended"
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(url, timeout=2).status_code == httpx.codes.OK
        return False

    until(is_ready, "`endcap serve` is ready", timeout_s)


def predict(served: Installation, **instance: Any) -> dict[str, Any]:
    response = httpx.post(f"http://127.0.0.1:{served.http_port}/v1/models/endcap:predict", json={"instances": [instance]}, timeout=10)
    assert response.status_code == httpx.codes.OK, response.text
    return response.json()["predictions"][0]


def known_user(served: Installation) -> str:
    import polars as pl

    events = pl.scan_parquet(served.home / "data" / "events.parquet")
    return events.group_by("user_id").len().sort("len", "user_id", descending=True).collect()["user_id"][0]


def test_the_accepted_bundle_is_the_champion_and_is_served(trained: Installation) -> None:
    (bundle,) = trained.json("endcap bundle list")
    assert bundle["champion"]
    assert bundle["served"]


def test_a_second_run_reuses_every_training_step_and_a_refused_bundle_is_not_served(trained: Installation) -> None:
    (command,) = [command for command in documented_commands("2.") if "pipeline run" in command]
    before = trained.json("endcap bundle list")
    again = json.loads(trained.run(f"{command} --min-gain 0.9 --json", expected_exit=6))
    steps = {step["name"]: step["state"] for step in again["steps"]}
    for name in ("validate-data", "build-features", "build-training-set", "build-tables", "train-two-tower", "train-ranker", "evaluate"):
        assert steps[name] == "cached", steps
    assert again["accepted"] is False
    assert trained.json("endcap bundle list") == before


def test_a_known_household_gets_a_full_list_over_http(served: Installation) -> None:
    answer = predict(served, user_id=known_user(served), surface="home", k=10)
    assert [each["position"] for each in answer["recommendations"]] == list(range(1, 11))
    assert len({each["item_id"] for each in answer["recommendations"]}) == 10
    assert all(each["title"] and each["reason"] and each["source"] for each in answer["recommendations"])
    assert answer["degraded"] == []
    assert answer["ignored"] == []
    assert answer["timings_ms"]["total"] > 0


def test_http_and_grpc_give_the_same_answer(served: Installation) -> None:
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
    from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

    user = known_user(served)
    instance = {"user_id": user, "surface": "home", "k": 10, "context": {"time": "2017-12-20T17:00:00Z"}}
    over_http = predict(served, **instance)

    def tensor(name: str, value: bytes) -> Any:
        contents = messages.InferTensorContents(bytes_contents=[value])
        return messages.ModelInferRequest.InferInputTensor(name=name, datatype="BYTES", shape=[1], contents=contents)

    k = messages.ModelInferRequest.InferInputTensor(name="k", datatype="INT64", shape=[1])
    k.contents.int64_contents.append(10)
    context = json.dumps(instance["context"]).encode()
    inputs = [tensor("user_id", user.encode()), tensor("surface", b"home"), tensor("context", context), k]
    with grpc.insecure_channel(f"127.0.0.1:{served.environment['ENDCAP_SERVING__GRPC_PORT']}") as channel:
        response = stubs.GRPCInferenceServiceStub(channel).ModelInfer(
            messages.ModelInferRequest(model_name="endcap", id=over_http["request_id"], inputs=inputs), timeout=10
        )
    outputs = {output.name: output.contents.bytes_contents for output in response.outputs}
    over_grpc = json.loads(outputs["answer"][0])
    assert [each["item_id"] for each in over_grpc["recommendations"]] == [each["item_id"] for each in over_http["recommendations"]]
    assert [each["score"] for each in over_grpc["recommendations"]] == [each["score"] for each in over_http["recommendations"]]
    assert [item.decode() for item in outputs["item_id"]] == [each["item_id"] for each in over_http["recommendations"]]


def test_unknown_user_gets_popular_items_and_nothing_is_degraded(served: Installation) -> None:
    answer = predict(served, user_id="nobody-knows-me", k=10)
    assert {each["source"] for each in answer["recommendations"]} == {"popular"}
    assert len(answer["recommendations"]) == 10
    assert answer["degraded"] == []


def click(served: Installation, session: str, *item_ids: str) -> None:
    """An anonymous visitor clicks items of a list; returned when the collector has them on disk."""
    events = [
        {
            **{"event_id": str(uuid4()), "event_type": "click", "occurred_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")},
            **{"session_id": session, "item_id": item_id},
        }
        for item_id in item_ids
    ]
    address = f"http://127.0.0.1:{served.environment['ENDCAP_COLLECTOR__PORT']}/v1/events"
    response = httpx.post(address, json=events, timeout=10)
    assert response.json()["accepted"] == len(events), response.text


def test_clicks_of_an_anonymous_visit_change_its_next_list(served: Installation) -> None:
    from endcap.core.settings import Settings
    from endcap.features.store.online import OnlineFeatures
    from endcap.release.bundle.promotion import served_bundle

    def reasons(session: str) -> set[str]:
        return {each["reason"] for each in predict(served, session_id=session, k=10)["recommendations"]}

    before = predict(served, session_id="anonymous visit", k=10)
    assert {each["source"] for each in before["recommendations"]} == {"popular"}
    clicked = [each["item_id"] for each in before["recommendations"][:2]]
    port = served.environment["ENDCAP_STREAM__PORT"]
    until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == httpx.codes.OK, "the stream is ready", 60)
    click(served, "anonymous visit", *clicked)
    until(lambda: any("looked at lately" in reason or "Goes with" in reason for reason in reasons("anonymous visit")), "the list changed")
    assert {each["source"] for each in predict(served, session_id="another visit", k=10)["recommendations"]} == {"popular"}

    settings = Settings(home=served.home)
    row = OnlineFeatures.open(settings).read(None, "anonymous visit")
    assert row is not None and row["session"] is not None
    assert sorted(row["session"]["session_item_ids"]) == sorted(clicked)
    assert row["session"]["session_event_types"] == ["click", "click"]
    # The bundle answers as of the end of its data: clicks of now are as new to it.
    data_end = served_bundle(settings.served_dir).manifest.data_end.timestamp()
    assert all(data_end - 60 < moment <= data_end for moment in row["session"]["session_occurred_at"])


def test_unknown_items_are_ignored_and_named(served: Installation) -> None:
    answer = predict(served, user_id=known_user(served), surface="cart", item_ids=["no-such-item"])
    assert answer["ignored"] == ["no-such-item"]
    assert answer["recommendations"]


@pytest.mark.parametrize(
    ("instance", "told"),
    [
        ({"k": 501}, ["k", "500"]),
        ({"surface": "elevator"}, ["surface", "home", "cart"]),
        ({"colour": "red"}, ["colour"]),
        ({"user_id": 7}, ["user_id"]),
        ({"exclude": ["x" * 2_000_000]}, []),
    ],
    ids=["k over 500", "unknown surface", "unknown field", "wrong type", "body over 1 MiB"],
)
def test_bad_requests_are_refused_by_name(served: Installation, instance: dict[str, Any], told: list[str]) -> None:
    response = httpx.post(f"http://127.0.0.1:{served.http_port}/v1/models/endcap:predict", json={"instances": [instance]}, timeout=10)
    assert 400 <= response.status_code < 500
    assert all(word in response.json()["error"] for word in told)
    assert "Traceback" not in response.text


def test_the_documented_recommend_commands_print_lists(served: Installation) -> None:
    for command in documented_commands("3."):
        if "recommend" in command:
            assert ("likeness" if "--explain" in command else "reason") in served.run(command)
