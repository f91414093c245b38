"""Every image's lock: the versions that are tested, all hashed, enough for what it installs, and nothing that it must not hold."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from images.dry_build import read_dockerfile
from images.locks import IMAGE_LOCKS, LEFT_OUT, LOCKS, TESTED
from tests.images.pins import pins
from tests.install.distributions import distributions, read_distribution, required

ROOT = Path(__file__).parents[2]


def test_there_is_a_lock_for_each_and_no_other() -> None:
    assert {path.stem for path in LOCKS.glob("*.txt")} == set(IMAGE_LOCKS)


@pytest.mark.parametrize("name", IMAGE_LOCKS)
def test_versions_are_those_that_are_tested(name: str) -> None:
    tested = {package: version for path in TESTED for package, version in pins(ROOT / path).items()}
    differing = {package: version for package, version in pins(LOCKS / f"{name}.txt").items() if tested.get(package) != version}
    beyond = {package for package in differing if not any(fnmatch(package, pattern) for pattern in IMAGE_LOCKS[name].only_here)}
    assert beyond == set(), "renew them: python -m images.locks"


@pytest.mark.parametrize("name", IMAGE_LOCKS)
def test_every_package_has_its_hashes(name: str) -> None:
    parts = re.split(r"^(?=[A-Za-z0-9])", (LOCKS / f"{name}.txt").read_text(), flags=re.MULTILINE)
    assert all("--hash=sha256:" in part for part in parts if part.strip())


@pytest.mark.parametrize(("name", "folder"), [(name, folder) for name, lock in IMAGE_LOCKS.items() for folder in lock.distributions])
def test_a_lock_has_all_that_its_distributions_ask_for(name: str, folder: str) -> None:
    locked = pins(LOCKS / f"{name}.txt")
    extras = IMAGE_LOCKS[name].extras if folder == "." else ()
    unmet = [
        str(requirement)
        for requirement in required(read_distribution(ROOT / folder).name, extras)
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert unmet == [], "renew them: python -m images.locks"


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [
        ("transformer", ("tensorflow*", "keras", "tf-keras", "kfp*", "mlflow*", "pyspark", "matplotlib")),
        (
            "collector",
            ("tensorflow*", "keras", "feast", "kserve", "kfp*", "mlflow*", "dask", "duckdb", "ibis-framework", "pyspark", "pandas"),
        ),
        ("rollout-operator", ("tensorflow*", "keras", "feast", "kserve", "kfp*", "dask", "duckdb", "ibis-framework", "pyspark")),
        ("stream", ("tensorflow*", "keras", "kserve", "mlflow*", "kfp*", "pyspark", "pytest")),
        ("spark", ("tensorflow*", "keras", "kserve", "mlflow*", "kfp*")),
        ("pipeline", ("nvidia-*", "kserve", "pytest")),
    ],
)
def test_an_image_holds_nothing_of_another_part(name: str, unwanted: tuple[str, ...]) -> None:
    assert [package for package in pins(LOCKS / f"{name}.txt") if any(fnmatch(package, pattern) for pattern in unwanted)] == []


@pytest.mark.parametrize("image", ["collector", "pipeline", "rollout-operator", "spark", "stream", "transformer"])
def test_an_image_installs_what_its_lock_is_made_for(image: str) -> None:
    steps = " && ".join(read_dockerfile(ROOT / "images" / image / "Dockerfile").stages[0].all("RUN")).split(" && ")
    built = [step.split()[-1] for step in steps if " build " in step]
    assert set(built) == {".", *IMAGE_LOCKS[image].distributions}


@pytest.mark.parametrize("path", [*TESTED, *(f"requirements/images/{name}.txt" for name in IMAGE_LOCKS)])
def test_no_lock_names_what_lies_here_or_where_packages_come_from(path: str) -> None:
    assert not pins(ROOT / path).keys() & set(distributions())
    said = [line.split()[0] for line in (ROOT / path).read_text().splitlines() if line and not line.startswith((" ", "#"))]
    assert all(re.fullmatch(r"[a-z0-9.-]+(\[[a-z0-9,-]+\])?==\S+", word) for word in said)


@pytest.mark.parametrize("name", IMAGE_LOCKS)
def test_no_lock_holds_a_type_checker(name: str) -> None:
    assert not pins(LOCKS / f"{name}.txt").keys() & set(LEFT_OUT)


def test_the_chart_names_the_spark_that_the_image_holds() -> None:
    values = yaml.safe_load((ROOT / "charts" / "endcap" / "values.yaml").read_text())
    assert values["spark"]["version"] == pins(LOCKS / "spark.txt")["pyspark"]
