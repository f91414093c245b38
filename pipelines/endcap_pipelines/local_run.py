"""Runs a pipeline on this machine: the definition that a cluster gets, each step a process of its own, steps already done reused."""

import hashlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

import endcap
import endcap.core.errors
import endcap_components
from endcap.core.errors import EndcapError
from endcap.core.progress import PROGRESS_FILE_VARIABLE
from endcap.core.settings import Settings
from endcap_pipelines.step_display import StepDisplay, StepRun

QUIET = {
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "PYTHONWARNINGS": "ignore",
}
"""What every step's process gets: Keras 2, one order of additions, and no talk."""

STEP_STOP_TIMEOUT_S = 5.0
NOT_IN_STEPS = ("cli", "demo", "doctor")
"""Parts of the library that no step runs."""


@dataclass(frozen=True)
class LocalRun:
    """A run that came to its end.

    Attributes:
        outputs: of the pipeline, by name.
        steps: in order; those of a branch that was not taken are missing.
        log_file: everything the steps printed.
    """

    outputs: Mapping[str, Any]
    steps: list[StepRun]
    log_file: Path


def run_locally(pipeline: Any, arguments: Mapping[str, Any], settings: Settings, console: Console, *, use_cache: bool = True) -> LocalRun:
    """Run a pipeline's steps one after the other in this environment.

    Args:
        pipeline: a function decorated with `dsl.pipeline`.
        arguments: of the pipeline.
        settings: where artifacts, cache and logs go.
        console: where a person follows.
        use_cache: reuse the outputs of equal steps of earlier runs of the same source.

    Raises:
        EndcapError: what the failing step raised, by its own class.
    """
    folder = settings.pipeline_dir.absolute()
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log_file, progress_file = logs / "run.log", folder / "progress.json"
    display = StepDisplay(console, log_file, progress_file)
    with display, _kfp_local(folder, progress_file, use_cache), _no_step_left_behind(), redirect_stdout(display):
        try:
            outputs = pipeline(**arguments).outputs
        except RuntimeError as error:
            display.fail()
            raise _failure(display, log_file) from error
    return LocalRun(outputs, display.steps, log_file)


def source_fingerprint() -> str:
    """SHA-256 over the sources that steps run: a changed line is never answered from the cache."""
    digest = hashlib.sha256()
    for package in (endcap_components, endcap):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            relative = path.relative_to(root)
            if relative.parts[0] not in NOT_IN_STEPS:
                digest.update(str(relative).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _kfp_local(folder: Path, progress_file: Path, use_cache: bool) -> Iterator[None]:
    """kfp.local set up for one run; logging and environment are as before afterwards."""
    from kfp import local

    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    environment = {**QUIET, PROGRESS_FILE_VARIABLE: str(progress_file)}
    before = {name: os.environ.get(name) for name in environment}
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "artifacts"),
        enable_caching=use_cache,
        cache_root=str(folder / "cache" / source_fingerprint()),
    )
    os.environ.update(environment)
    root.handlers[:] = [_ToStandardOutput()]
    root.setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def _no_step_left_behind() -> Iterator[None]:
    """When the run is interrupted, end the step that runs: kfp.local would leave it to work on for nobody."""
    import psutil

    here = psutil.Process()
    before = set(here.children(recursive=True))
    try:
        yield
    except BaseException:
        steps = [child for child in here.children(recursive=True) if child not in before]
        for child in steps:
            with suppress(psutil.NoSuchProcess):
                child.terminate()
        _, stubborn = psutil.wait_procs(steps, timeout=STEP_STOP_TIMEOUT_S)
        for child in stubborn:
            child.kill()
        raise


class _ToStandardOutput(logging.Handler):
    """Writes to whatever standard output is at the moment of the message: the display, while a pipeline runs."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record))  # noqa: T201


def _failure(display: StepDisplay, log_file: Path) -> EndcapError:
    """The failing step's error as its own class, so that the exit code says its kind; else the last line that the step said."""
    failed = next((step.name for step in reversed(display.steps) if step.state == "failed"), None)
    raised = display.error()
    if raised is not None:
        module, _, name = raised.kind.rpartition(".")
        kind = getattr(endcap.core.errors, name, None)
        if module == "endcap.core.errors" and isinstance(kind, type) and issubclass(kind, EndcapError):
            return kind(raised.message)
    message = display.ending() if raised is None else str(raised)
    return EndcapError(f"step {failed or 'of the pipeline'} failed: {message}", fix=f"see {log_file}")
