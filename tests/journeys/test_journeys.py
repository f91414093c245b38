"""From a shop's files to recommendations by the commands of docs/data.md, for every shape in which shops have their data."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from endcap.core.ports import free_ports
from tests.journeys.shop_files import MAPPING, SHOP_FILES
from tests.serving_environment import SERVING_PORTS, UNHURRIED
from tests.shared_milvus import kept_folder, kill_milvus_of, share_unpacked_milvus
from tests.waiting import until

IN_EVERY_RUN = ("tills", "order only")
"""Those of `make test`, which trains on receipts elsewhere; `make test-journeys` takes all."""
pytestmark = [pytest.mark.processes, pytest.mark.pipeline, pytest.mark.timeout(900)]

PERSONAL_VISITS = {"web visits": "home", "sets with carts": "cart"}
"""Where a visit of nobody known must get a list of its own: after two views, and with two items in the cart."""
VISITS = (["i001", "i005"], ["i002", "i006"])

ROOT = Path(__file__).parents[2]


def documented_commands() -> list[str]:
    """The commands of the section, in their order."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.split("\n## From files to recommendations", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\$ (.*)$", section, flags=re.MULTILINE)


@dataclass(frozen=True)
class Shop:
    """A shop's folder of files, and an environment with a home of its own beside it."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> str:
        done = subprocess.run(
            shlex.split(command), cwd=self.folder.parent, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def serving(self, command: str) -> Iterator["httpx.Client"]:
        """The endpoint while the block runs."""
        server = subprocess.Popen(shlex.split(command), cwd=self.folder.parent, env=self.environment, start_new_session=True)
        address = f"http://127.0.0.1:{self.environment['ENDCAP_SERVING__HTTP_PORT']}"
        try:
            with httpx.Client(base_url=address, timeout=20) as client:

                def is_ready() -> bool:
                    assert server.poll() is None, f"`{command}` ended"
                    with suppress(httpx.HTTPError):
                        return client.get("/v2/health/ready").is_success
                    return False

                until(is_ready, f"`{command}` is ready", 180)
                yield client
        finally:
            kill_milvus_of(server.pid)
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)


def shop_of(shape: str, tmp_path: Path, kept: Path) -> Shop:
    folder, home = tmp_path / "exports", tmp_path / "home"
    SHOP_FILES[shape](folder)
    if (folder / MAPPING).exists():
        (folder / MAPPING).rename(tmp_path / MAPPING)
    home.mkdir()
    share_unpacked_milvus(home, kept)
    ports = {name: str(port) for name, port in zip(SERVING_PORTS, free_ports(len(SERVING_PORTS)), strict=True)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Shop(folder, os.environ | {"PATH": path, "ENDCAP_HOME": str(home), **ports, **UNHURRIED})


def predicted(client: httpx.Client, **instance: Any) -> dict[str, Any]:
    answer = client.post("/v1/models/endcap:predict", json={"instances": [instance]})
    assert answer.status_code == httpx.codes.OK, answer.text
    prediction: dict[str, Any] = answer.json()["predictions"][0]
    return prediction


def checked(answer: dict[str, Any], k: int) -> list[str]:
    """The items of a whole list without a fallback."""
    items = [each["item_id"] for each in answer["recommendations"]]
    assert len(set(items)) == k, answer
    assert answer["degraded"] == [], answer
    return items


@pytest.mark.parametrize(
    "shape", [pytest.param(shape, marks=() if shape in IN_EVERY_RUN else pytest.mark.journeys) for shape in SHOP_FILES]
)
def test_files_become_served_recommendations(shape: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shop = shop_of(shape, tmp_path, kept_folder(tmp_path_factory))
    by_mapping, by_sequences, by_sets, validate, train, serve, *asking = documented_commands()
    shop.run({"order only": by_sequences, "sets with carts": by_sets}.get(shape, by_mapping))
    shop.run(validate)
    shop.run(f"{train} --epochs 1")
    with shop.serving(serve) as client:
        person = predicted(client, user_id="u001", surface="home", k=5)
        checked(person, 5)
        checked(predicted(client, session_id="a-new-visit", surface="home", k=5), 5)
        beside = checked(predicted(client, surface="product", item_ids=["i001"], k=5), 5)
        assert "i001" not in beside
        unpriced = predicted(client, user_id="u001", surface="home", k=5, filters={"price_max": 3.0})
        assert (unpriced["ignored"] == ["filters.price_max"]) == (shape in {"no prices", "order only", "sets with carts"}), unpriced
        assert unpriced["recommendations"]
        assert {each["source"] for each in person["recommendations"]} <= {"popular", "trending"} or shape != "tills"
        if shape in PERSONAL_VISITS:
            visits = [
                predicted(client, session_id=f"visit-{items}", item_ids=items, k=5, surface=PERSONAL_VISITS[shape]) for items in VISITS
            ]
            first, second = (checked(visit, 5) for visit in visits)
            assert first != second
        for command in asking:
            assert shop.run(command)
