"""What a transformer says when it cannot start, and how it changes bundles."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from endcap.errors import BundleInvalid
from transformers.bundle_watch import BundleHolder, watch_bundle
from transformers.server import main


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """`main` sets up the process's logging."""
    yield
    structlog.reset_defaults()


def test_without_a_promoted_bundle_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    assert main(wait_s=0) == 4
    error = capsys.readouterr().err
    assert "no bundle is promoted" in error
    assert "Traceback" not in error


def test_a_bundle_with_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "served" / "endcap" / "3"
    folder.mkdir(parents=True)
    (folder / "bundle.json").write_text("{}")
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    assert main(wait_s=0) == 4
    assert "bundle.json" in capsys.readouterr().err


async def switches(holder: BundleHolder, served_dir: Path, prepare, until) -> None:
    watching = asyncio.create_task(watch_bundle(holder, served_dir, prepare, lambda newer: setattr(holder, "current", newer), look_s=0.01))
    async with asyncio.timeout(20):
        while not until():  # noqa: ASYNC110 - the watcher has no event to wait for
            await asyncio.sleep(0.01)
    watching.cancel()


async def test_a_promoted_bundle_replaces_the_present_one(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder = BundleHolder()
    holder.current = served
    newer = replace(served, manifest=served.manifest.model_copy(update={"version": 2}))

    async def prepare():
        return newer

    await switches(holder, tmp_path, prepare, lambda: holder.current is newer)
    assert holder.current is newer


async def test_a_bundle_that_cannot_be_served_is_tried_once_and_the_present_one_stays(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder = BundleHolder()
    holder.current = served
    tried: list[int] = []
    newer = replace(served, manifest=served.manifest.model_copy(update={"version": 3}))

    async def prepare():
        tried.append(1)
        if len(tried) == 1:
            (tmp_path / "endcap" / "3").mkdir()
            raise BundleInvalid("the file is missing")
        return newer

    await switches(holder, tmp_path, prepare, lambda: holder.current is newer)
    assert len(tried) == 2
