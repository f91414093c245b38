"""The collector's image: it starts as on a cluster, takes an event with a key, keeps it on its volume and ends in order."""

import json
import signal
import subprocess
from datetime import UTC, datetime

import httpx
import pytest
import yaml
from cryptography.fernet import Fernet

from endcap.contracts.event_type import EventType
from endcap.core.ports import free_port
from endcap_collector.key_file import hash_of
from images.dry_build import DryBuild
from tests.endcap.events.sent_events import sent
from tests.images.image_home import empty_home, give_home
from tests.images.image_run import assert_sound, run, succeed
from tests.waiting import until

pytestmark = pytest.mark.processes

IMAGE = "collector"
IMPORT_ALL = """
import importlib, pkgutil
import endcap_collector
names = []
for module in pkgutil.walk_packages(endcap_collector.__path__, "endcap_collector."):
    if not module.name.endswith("__main__"):
        names.append(importlib.import_module(module.name).__name__)
print(*names)
"""
HOME = "/var/lib/endcap"
SETTINGS = {
    "ENDCAP_PROFILE": "cluster",
    "ENDCAP_COLLECTOR__KEYS_FILE": f"{HOME}/keys.yaml",
    "ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE": f"{HOME}/dead-letters.key",
    "ENDCAP_COLLECTOR__PIXEL_KEY_FILE": f"{HOME}/pixel.key",
}


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "collector")


def test_all_of_it_imports_and_it_needs_neither_models_nor_features(build: DryBuild) -> None:
    names = succeed(build, "python", "-c", IMPORT_ALL).split()
    assert {"endcap_collector.app", "endcap_collector.spool.sending"} <= set(names)
    for package in ("tensorflow", "feast", "kserve", "kfp", "pandas"):
        assert run(build, "python", "-c", f"import {package}").returncode == 1


def test_without_keys_it_says_what_is_missing(build: DryBuild) -> None:
    done = run(build, "python", "-m", "endcap_collector", ENDCAP_PROFILE="cluster")
    assert done.returncode != 0
    assert "ENDCAP_COLLECTOR__KEYS_FILE" in done.stderr


def test_it_publishes_schemas_when_it_is_told_to(build: DryBuild) -> None:
    assert "as released" in succeed(build, "endcap", "schemas", "check")


def test_it_takes_an_event_keeps_it_and_ends_in_order(build: DryBuild) -> None:
    empty_home(build)
    entry = {"name": "web", "sha256": hash_of("key-of-the-shop"), "scope": "server"}
    (build.home / "keys.yaml").write_text(yaml.safe_dump({"keys": [entry]}))
    for name in ("dead-letters", "pixel"):
        (build.home / f"{name}.key").write_bytes(Fernet.generate_key())
    give_home(build)
    address = f"http://127.0.0.1:{(port := free_port())}"
    started = build.starting(
        ["python", "-m", "endcap_collector"], **SETTINGS, ENDCAP_COLLECTOR__PORT=str(port), ENDCAP_EVENTS__PROBE_SECONDS="0"
    )
    collector = subprocess.Popen(started, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: collector.poll() is not None or _is_ready(address), "the image's collector did not answer", 60)
        event = sent(EventType.PAGE_VIEW, datetime.now(UTC), "1")
        answer = httpx.post(f"{address}/v1/events", json=event, headers={"x-endcap-key": "key-of-the-shop"}, trust_env=False)
        assert answer.json()["accepted"] == 1
    finally:
        collector.send_signal(signal.SIGTERM)
        _, said = collector.communicate(timeout=60)
    assert collector.returncode == -signal.SIGTERM, said  # uvicorn ends in order, then as whoever sent the signal expects
    (log,) = (build.home / "events").glob("*.jsonl")
    assert json.loads(log.read_text())["event_id"] == event["event_id"]


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
