import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.main import BROUGHT_BY, COMMANDS_GROUP, _add_command, build_app
from endcap.core.errors import DependencyUnavailable

ENDCAP = Path(sys.executable).parent / "endcap"


def leaf_commands() -> list[list[str]]:
    app = typer.main.get_command(build_app())
    leaves = []
    for name, command in app.commands.items():  # type: ignore[attr-defined]
        children = getattr(command, "commands", None)
        leaves += [[name, child] for child in children] if children else [[name]]
    return leaves


def test_all_commands_of_the_design_are_there() -> None:
    names = {entry.name for entry in entry_points(group=COMMANDS_GROUP)}
    assert names >= {"import", "validate", "features", "pipeline", "bundle", "index", "serve", "recommend", "demo"}


@pytest.mark.parametrize("command", leaf_commands(), ids=" ".join)
def test_help_shows_an_example_and_json(command: list[str]) -> None:
    shown = CliRunner().invoke(build_app(), [*command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Example" in shown.output
    assert "endcap " + " ".join(command) in shown.output
    assert "--json" in shown.output


@pytest.mark.parametrize(("command", "distribution"), BROUGHT_BY.items())
def test_a_command_of_a_part_that_is_away_says_what_to_install(command: str, distribution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = [entry for entry in entry_points(group=COMMANDS_GROUP) if entry.name not in BROUGHT_BY]
    monkeypatch.setattr("endcap.cli.main.entry_points", lambda group: there)
    shown = CliRunner().invoke(build_app(), [command, "run", "--epochs", "2"])
    assert isinstance(shown.exception, DependencyUnavailable)
    assert f'pip install "{distribution}"' in str(shown.exception.fix)


def test_a_known_failure_is_one_line_and_its_own_exit_code() -> None:
    done = subprocess.run([ENDCAP, "validate", "no/such/folder"], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "no/such/folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_MILVUS__PORT", "many")
    done = subprocess.run([ENDCAP, "bundle", "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ENDCAP_MILVUS__PORT" in done.stderr


def test_a_part_that_is_not_installed_says_so_when_it_is_asked_for() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    _add_command(app, EntryPoint("serve", "no_such_part.commands:app", COMMANDS_GROUP))
    failed = CliRunner().invoke(app, ["serve"])
    assert isinstance(failed.exception, DependencyUnavailable)
    assert "not installed here (No module named 'no_such_part')" in str(failed.exception)


def test_a_part_that_is_broken_is_not_taken_for_one_that_is_not_installed() -> None:
    with pytest.raises(AttributeError, match="no_such_app"):
        _add_command(typer.Typer(), EntryPoint("serve", "endcap.cli.main:no_such_app", COMMANDS_GROUP))
