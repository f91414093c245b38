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


@pytest.mark.parametrize(("profile", "allowed"), [(None, True), ("local", True), ("cluster", False)])
def test_consent_that_is_not_set_is_yes_on_a_laptop_and_no_on_a_cluster(
    monkeypatch: pytest.MonkeyPatch, profile: str | None, allowed: bool
) -> None:
    if profile:
        monkeypatch.setenv("ENDCAP_PROFILE", profile)
    consent = load_settings().consent
    assert (consent.personalisation, consent.analytics) == (allowed, allowed)


@pytest.mark.parametrize("profile", ["local", "cluster"])
@pytest.mark.parametrize("allowed", [True, False])
def test_consent_that_is_set_wins_over_the_profile(monkeypatch: pytest.MonkeyPatch, profile: str, allowed: bool) -> None:
    monkeypatch.setenv("ENDCAP_PROFILE", profile)
    monkeypatch.setenv("ENDCAP_CONSENT__ANALYTICS", str(allowed).lower())
    consent = load_settings().consent
    assert (consent.personalisation, consent.analytics) == (profile == "local", allowed)
