"""The wheels: one a distribution, each with all of its package and nothing beside it."""

from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.install.distributions import LIBRARY, ROOT, distributions

pytestmark = pytest.mark.processes

ALL = distributions()


def wheel(wheels: Path, name: str) -> ZipFile:
    (path,) = wheels.glob(f"{ALL[name].package}-{ALL[name].version}-*.whl")
    return ZipFile(path)


def held(wheels: Path, name: str) -> set[str]:
    return {path for path in wheel(wheels, name).namelist() if ".dist-info/" not in path}


def test_all_take_one_top_level_name_each_and_it_is_endcaps(wheels: Path) -> None:
    tops = [{path.partition("/")[0] for path in held(wheels, name)} for name in ALL]
    assert tops == [{one.package} for one in ALL.values()]
    assert len(list(wheels.glob("*.whl"))) == len(ALL)
    assert all(one.package == LIBRARY or one.package.startswith("endcap_") for one in ALL.values())


@pytest.mark.parametrize("name", ALL)
def test_a_wheel_holds_every_file_of_its_package(name: str, wheels: Path) -> None:
    one = ALL[name]
    files = {path for path in (one.folder / one.package).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert held(wheels, name) == {str(path.relative_to(one.folder)) for path in files}


@pytest.mark.parametrize("name", ALL)
def test_a_wheel_carries_the_licence(name: str, wheels: Path) -> None:
    file = wheel(wheels, name)
    carried = [file.read(path) for path in file.namelist() if path.endswith(".dist-info/licenses/LICENSE")]
    assert carried == [(ROOT / "LICENSE").read_bytes()]


@pytest.mark.parametrize("name", ALL)
def test_a_wheel_requires_packages_by_name_and_not_by_a_place(name: str, wheels: Path) -> None:
    file = wheel(wheels, name)
    (metadata,) = [path for path in file.namelist() if path.endswith(".dist-info/METADATA")]
    said = BytesParser().parsebytes(file.read(metadata)).get_all("Requires-Dist", [])
    assert [requirement for requirement in map(Requirement, said) if requirement.url] == []
