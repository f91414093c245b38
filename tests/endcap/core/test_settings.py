from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, load_settings, resolve_replay

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def test_nested_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_SERVING__HTTP_PORT", "18080")
    monkeypatch.setenv("ENDCAP_HOME", "elsewhere")
    settings = load_settings()
    assert settings.serving.http_port == 18080
    assert settings.bundles_dir == Path("elsewhere/bundles")


def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_SERVING__HTTP_PORT", "99999")
    with pytest.raises(InvalidInput, match=r"ENDCAP_SERVING__HTTP_PORT.*65535.*99999"):
        load_settings()


def test_a_naive_replay_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_REPLAY_AT", "2018-01-01T00:00:00")
    with pytest.raises(InvalidInput, match="REPLAY_AT"):
        load_settings()


def test_recorded_data_is_answered_as_of_its_end() -> None:
    data_end = NOW - timedelta(days=400)
    assert resolve_replay("auto", data_end, NOW) == data_end


def test_fresh_data_is_answered_by_the_real_clock() -> None:
    assert resolve_replay("auto", NOW - timedelta(days=3), NOW) is None
    assert resolve_replay("now", NOW - timedelta(days=400), NOW) is None


def test_mlflow_uri_defaults_to_sqlite_under_home(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).mlflow_uri == f"sqlite:///{tmp_path}/mlflow.db"
