"""What every image promises: pinned, without root, without an installer, lint-clean; seen without a container engine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from images.dry_build import Dockerfile, read_dockerfile

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
IMAGES = sorted(path.parent.name for path in (ROOT / "images").glob("*/Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")


def dockerfile(image: str) -> Dockerfile:
    return read_dockerfile(ROOT / "images" / image / "Dockerfile")


def environment(image: str) -> dict[str, str]:
    words = " ".join(dockerfile(image).stages[-1].all("ENV")).split()
    return dict(word.split("=", 1) for word in words)


def copied(image: str) -> list[str]:
    """What an image's stages copy from the repository."""
    said = [words.split() for stage in dockerfile(image).stages for words in stage.all("COPY") if "--from=" not in words]
    return [word for words in said for word in words[:-1] if not word.startswith("--")]


def test_there_is_one_image_a_deployable_unit() -> None:
    assert IMAGES == ["collector", "pipeline", "rollout-operator", "spark", "stream", "transformer"]


@pytest.mark.parametrize("image", IMAGES)
def test_hadolint_finds_nothing(image: str) -> None:
    done = subprocess.run([HADOLINT, ROOT / "images" / image / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("image", IMAGES)
def test_the_base_is_an_argument_without_default_that_must_name_a_digest(image: str) -> None:
    read = dockerfile(image)
    assert read.arguments == ("PYTHON_IMAGE",)
    assert [stage.base for stage in read.stages] == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    first_step = read.stages[0].all("RUN")[0]
    for base, exit_code in (("python:3.11-slim", 1), ("python@sha256:" + "a" * 64, 0)):
        done = subprocess.run(["sh", "-c", first_step], env={"PYTHON_IMAGE": base}, capture_output=True, text=True, check=False)
        assert done.returncode == exit_code
        assert ("must end in @sha256:" in done.stderr) == bool(exit_code)


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_is_installed_by_its_hash(image: str) -> None:
    steps = " && ".join(dockerfile(image).stages[0].all("RUN")).split("&&")
    # Debian's packages are signed; they are tools of the build stage, and in no image.
    installs = [step for step in steps if (" install " in step or " sync " in step) and "apt-get install" not in step]
    from_wheel = [step for step in installs if step.strip().endswith("dist/*.whl")]
    assert all("--require-hashes" in step for step in installs if step not in from_wheel)
    assert [("--offline" in step, "--no-deps" in step) for step in from_wheel] == [(True, True)]


@pytest.mark.parametrize("image", IMAGES)
def test_the_final_stage_runs_without_root_and_without_an_installer(image: str) -> None:
    final = dockerfile(image).stages[-1]
    assert final.all("USER") == ["10001:10001"]
    assert final.all("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(final.all("ENTRYPOINT")[0])
    assert any("pip uninstall --yes pip setuptools wheel" in step for step in final.all("RUN"))
    assert [words for words in final.all("COPY") if "--from=" in words] == ["--from=build /opt/venv /opt/venv"]
    assert not final.all("CMD") + final.all("VOLUME") + final.all("ADD")


@pytest.mark.parametrize("image", IMAGES)
def test_the_final_stage_writes_to_tmp_and_to_its_own_folder_only(image: str) -> None:
    variables = environment(image)
    assert variables["HOME"] == "/tmp"  # noqa: S108  # the container's
    assert variables["ENDCAP_HOME"] == "/var/lib/endcap"
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_says_what_it_was_built_from(image: str) -> None:
    final = dockerfile(image).stages[-1]
    labels = " ".join(final.all("LABEL"))
    assert final.all("ARG") == ["VERSION", "REVISION"]
    assert 'org.opencontainers.image.version="${VERSION}"' in labels
    assert 'org.opencontainers.image.revision="${REVISION}"' in labels


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_reaches_the_build(image: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert "*" in ignored
    for source in copied(image):
        assert any(source == path or source.startswith(f"{path}/") for path in let_in), source
        assert list(ROOT.glob(source)), source


def test_sparks_connector_to_kafka_is_of_sparks_line() -> None:
    pom = (ROOT / "images" / "spark" / "pom.xml").read_text()
    connector = pom.split("<spark.version>")[1].split("</spark.version>")[0]
    (locked,) = [line for line in (ROOT / "requirements" / "images" / "spark.txt").read_text().splitlines() if line.startswith("pyspark==")]
    assert connector.split(".")[:2] == locked.removeprefix("pyspark==").split(".")[:2]


@pytest.mark.parametrize(
    ("image", "service"),
    [("collector", "services/collector"), ("rollout-operator", "services/rollout_operator"), ("stream", "services/stream")],
)
def test_a_service_copies_no_other_service(image: str, service: str) -> None:
    assert [source for source in copied(image) if source.startswith("services")] == [service]
