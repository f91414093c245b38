"""What a transformer says when it cannot start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from endcap_transformer.server.server import main


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
