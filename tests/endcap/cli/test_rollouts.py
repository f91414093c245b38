"""`endcap rollout` without a cluster; the commands that talk to one are tested with the operator, under tests/cluster."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.rollouts import app
from endcap.core.errors import DependencyUnavailable, InvalidInput


@pytest.fixture
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("command", ["list", "show", "watch", "pause", "resume", "abort", "promote"])
def test_without_a_cluster_the_kubeconfig_is_named(no_cluster: None, command: str) -> None:
    with pytest.raises(DependencyUnavailable, match="KUBECONFIG"):
        run(command)


def test_start_without_a_store_says_which_setting_is_missing(no_cluster: None) -> None:
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__STORAGE_URI"):
        run("start", "20261124110000")


def test_start_without_a_target_says_which_setting_is_missing(no_cluster: None) -> None:
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__TARGET"):
        run("start", "20261124110000", "--storage-uri", "pvc://bundles/2")


def test_help_names_every_command() -> None:
    shown = run("--help")
    assert all(command in shown for command in ("start", "list", "show", "watch", "pause", "resume", "abort", "promote"))
