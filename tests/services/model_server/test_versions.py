"""Which versions are loaded, as folders come and go; loading is a dictionary here."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from endcap.core.errors import BundleInvalid
from endcap_model_server.loading import LoadedVersion
from endcap_model_server.versions import RETIRE_AFTER_SECONDS, ModelVersions, VersionState


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def load(path: Path) -> LoadedVersion:
    if (path / "saved_model.pb").read_text() == "broken":
        raise BundleInvalid("cannot load", field=str(path))
    return LoadedVersion(int(path.name), path, {}, None, None)


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def versions(tmp_path: Path, clock: Seconds) -> ModelVersions:
    return ModelVersions("endcap", tmp_path, load, clock)


def put(versions: ModelVersions, version: int, content: str = "good") -> Path:
    folder = versions.base_path / str(version)
    folder.mkdir()
    (folder / "saved_model.pb").write_text(content)
    return folder


def remove(folder: Path) -> None:
    (folder / "saved_model.pb").unlink()
    folder.rmdir()


def replace_by_a_newer_one(versions: ModelVersions) -> None:
    """Version 2 comes after version 1, whose folder goes."""
    old = put(versions, 1)
    versions.rescan()
    put(versions, 2)
    remove(old)
    versions.rescan()


def number(versions: ModelVersions, version: int | None = None) -> int | None:
    loaded = versions.get(version)
    return loaded.version if loaded else None


def test_the_newest_answers_and_each_can_be_named(versions: ModelVersions) -> None:
    put(versions, 3), put(versions, 12)
    versions.rescan()
    assert (number(versions), number(versions, 3), number(versions, 4)) == (12, 3, None)


def test_a_folder_without_a_model_is_no_version(versions: ModelVersions) -> None:
    (versions.base_path / "5").mkdir()
    (versions.base_path / ".6.aside").mkdir()
    versions.rescan()
    assert number(versions) is None
    assert versions.states() == {}


def test_an_old_version_goes_once_its_folder_has_gone_and_clients_had_time(versions: ModelVersions, clock: Seconds) -> None:
    replace_by_a_newer_one(versions)
    assert (number(versions), number(versions, 1)) == (2, 1)
    clock.now += RETIRE_AFTER_SECONDS
    versions.rescan()
    assert number(versions, 1) is None
    assert number(versions) == 2


def test_a_version_promoted_again_right_after_it_went_is_loaded_again(versions: ModelVersions, clock: Seconds) -> None:
    replace_by_a_newer_one(versions)
    clock.now += RETIRE_AFTER_SECONDS
    versions.rescan()
    put(versions, 1)
    versions.rescan()
    assert number(versions, 1) == 1
    assert versions.states()[1] == (VersionState.AVAILABLE, "")


def test_the_last_version_serves_on_without_its_folder(versions: ModelVersions, clock: Seconds) -> None:
    folder = put(versions, 1)
    versions.rescan()
    remove(folder)
    clock.now += 10 * RETIRE_AFTER_SECONDS
    versions.rescan()
    assert number(versions) == 1


def test_a_broken_version_is_reported_and_not_tried_again(versions: ModelVersions) -> None:
    put(versions, 1), put(versions, 2, "broken")
    versions.rescan()
    versions.rescan()
    assert number(versions) == 1
    state, error = versions.states()[2]
    assert state is VersionState.END
    assert "cannot load" in error


def test_a_folder_that_cannot_be_looked_at_is_said_and_looked_at_again(versions: ModelVersions, monkeypatch: pytest.MonkeyPatch) -> None:
    put(versions, 1)
    rescan, failures = versions.rescan, [OSError("stale file handle")]

    def failing_at_first() -> None:
        if failures:
            raise failures.pop()
        rescan()
        versions.stop()

    monkeypatch.setattr(versions, "rescan", failing_at_first)
    monkeypatch.setattr("endcap_model_server.versions.RESCAN_SECONDS", 0)
    with capture_logs() as lines:
        versions.watch()
    assert number(versions) == 1
    assert ("could not look at the versions", "stale file handle") in [(line["event"], line.get("error")) for line in lines]
