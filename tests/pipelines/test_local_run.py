import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from kfp import dsl
from rich.console import Console

from endcap.core.errors import DataRejected, EndcapError
from endcap.core.settings import Settings
from endcap_pipelines.local_run import LocalRun, run_locally
from endcap_pipelines.step_display import StepRun
from tests.waiting import until

pytestmark = pytest.mark.processes


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def measure(value: int, measured: dsl.Output[dsl.Dataset]) -> bool:
    from pathlib import Path

    Path(measured.path).write_text(str(value))
    return value > 1


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def deploy(measured: dsl.Input[dsl.Dataset], deployed: str) -> None:
    from pathlib import Path

    Path(deployed).write_text(Path(measured.path).read_text())


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def look(path: str) -> str:
    from pathlib import Path

    return Path(path).read_text()


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def keep(seen: str, kept: dsl.Output[dsl.Dataset]) -> None:
    from pathlib import Path

    Path(kept.path).write_text(seen)


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def refuse(known: bool) -> None:
    from endcap.core.errors import DataRejected

    if known:
        raise DataRejected("too many bad rows", field="events", fix="mend them")
    raise ZeroDivisionError("by nothing")


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def die(words: str) -> None:
    import os
    import signal

    print(words, flush=True)  # noqa: T201 - as steps do
    os.kill(os.getpid(), signal.SIGKILL)


@dsl.pipeline(name="measured-deployment")
def measured_deployment(value: int, deployed: str) -> None:
    measured = measure(value=value)
    with dsl.If(measured.outputs["Output"] == True):  # noqa: E712 - the condition is compiled, not evaluated
        deploy(measured=measured.outputs["measured"], deployed=deployed).set_caching_options(False)


@dsl.pipeline(name="looking")
def looking(path: str) -> None:
    keep(seen=look(path=path).set_caching_options(False).output)


@dsl.pipeline(name="failing")
def failing(known: bool) -> None:
    refuse(known=known)


@dsl.pipeline(name="dying")
def dying(words: str) -> None:
    die(words=words)


@pytest.fixture(autouse=True)
def one_version_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endcap_pipelines.local_run.source_fingerprint", lambda: "one-version")


def run(pipeline: Any, home: Path, **arguments: Any) -> LocalRun:
    return run_locally(pipeline, arguments, Settings(home=home), Console(stderr=True, quiet=True))


def states(done: LocalRun) -> list[tuple[str, str]]:
    return [(step.name, step.state) for step in done.steps]


def test_steps_are_reused_except_those_that_must_not_be(tmp_path: Path) -> None:
    deployed = tmp_path / "deployed"
    first = run(measured_deployment, tmp_path, value=3, deployed=str(deployed))
    assert states(first) == [("measure", "done"), ("deploy", "done")]
    deployed.unlink()
    second = run(measured_deployment, tmp_path, value=3, deployed=str(deployed))
    assert states(second) == [("measure", "cached"), ("deploy", "done")]
    assert deployed.read_text() == "3"


def test_a_step_after_one_that_looks_is_reused_while_that_sees_the_same(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    for text, expected in (("a", "done"), ("a", "cached"), ("b", "done"), ("a", "cached")):
        seen.write_text(text)
        assert states(run(looking, tmp_path, path=str(seen))) == [("look", "done"), ("keep", expected)]


def test_a_branch_whose_condition_is_false_does_not_run(tmp_path: Path) -> None:
    deployed = tmp_path / "deployed"
    done = run(measured_deployment, tmp_path, value=1, deployed=str(deployed))
    assert states(done) == [("measure", "done")]
    assert not deployed.exists()


def test_the_error_of_a_step_keeps_its_kind_and_message(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"^events: too many bad rows; mend them$"):
        run(failing, tmp_path, known=True)


def test_any_other_error_names_the_step_and_the_log(tmp_path: Path) -> None:
    with pytest.raises(EndcapError, match=r"step refuse failed: ZeroDivisionError: by nothing; see .*run\.log"):
        run(failing, tmp_path, known=False)


def test_a_step_that_was_killed_is_told_with_its_last_line(tmp_path: Path) -> None:
    with pytest.raises(EndcapError, match=r"step die failed: its process ended: Killed \(.*memory.*\); its last line: about to end; see"):
        run(dying, tmp_path, words="about to end")


def test_nothing_of_kfp_reaches_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(measured_deployment, tmp_path, value=1, deployed=str(tmp_path / "deployed"))
    assert capsys.readouterr().out == ""


def test_a_step_is_named_with_its_state_and_time(tmp_path: Path) -> None:
    (step,) = run(measured_deployment, tmp_path, value=1, deployed="").steps
    assert isinstance(step, StepRun)
    assert step.seconds > 0


def test_an_interrupted_run_leaves_no_step_behind(tmp_path: Path) -> None:
    marker = f"step-of-{tmp_path.name}"
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import signal
import subprocess
import sys
import time
from pathlib import Path
from kfp import dsl
from rich.console import Console
from endcap.core.settings import Settings
from endcap_pipelines.local_run import run_locally

@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def sleep(marker: str) -> None:
    import time
    from pathlib import Path
    Path(marker).touch()
    time.sleep(600)

@dsl.pipeline(name="sleeping")
def sleeping(marker: str) -> None:
    sleep(marker=marker)

run_locally(sleeping, {{"marker": {str(tmp_path / marker)!r}}}, Settings(home=Path({str(tmp_path)!r})), Console(quiet=True))
"""
    script = tmp_path / "run.py"
    script.write_text(program)
    run = psutil.Popen([sys.executable, str(script)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until((tmp_path / marker).exists, "the step's start", 60)
    steps = run.children(recursive=True)
    run.send_signal(signal.SIGINT)
    run.wait(timeout=30)
    _, left = psutil.wait_procs(steps, timeout=10)
    assert steps
    assert not left
