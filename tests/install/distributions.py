"""The distributions of this repository, as their pyproject.toml files describe them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LIBRARY = "endcap"
FOR_DEVELOPERS = ("dev", "docs")
"""Extras of the library that no module of it needs."""


@dataclass(frozen=True)
class Distribution:
    """One distribution: its folder, and what it requires by itself and in each extra."""

    folder: Path
    name: str
    version: str
    requirements: tuple[Requirement, ...]
    extras: Mapping[str, tuple[Requirement, ...]]

    @property
    def package(self) -> str:
        return self.name.replace("-", "_")

    @property
    def modules(self) -> dict[str, Path]:
        """The file of every module, by its dotted name; a package's by the package's."""
        files = sorted((self.folder / self.package).rglob("*.py"))
        return {".".join(file.relative_to(self.folder).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


def read_distribution(folder: Path) -> Distribution:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: _parsed(said) for name, said in project.get("optional-dependencies", {}).items()}
    return Distribution(folder, project["name"], project["version"], _parsed(project["dependencies"]), extras)


def distributions() -> dict[str, Distribution]:
    """All of them by name: the library, and the members of the workspace."""
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"]
    folders = [folder for member in workspace["members"] for folder in sorted(ROOT.glob(member)) if (folder / "pyproject.toml").is_file()]
    return {one.name: one for one in map(read_distribution, [ROOT, *folders])}


def required(name: str, extras: Sequence[str] = (), *, of_deployables: bool = True) -> list[Requirement]:
    """What a distribution requires of others' packages, with what its required first-party distributions require.

    Args:
        name: the distribution.
        extras: of it, besides its own requirements.
        of_deployables: follow first-party distributions other than the library, too.
    """
    known = distributions()
    found: list[Requirement] = []
    left, seen = [Requirement(f"{name}[{','.join(extras)}]")], set()
    while left:
        one = left.pop()
        if one.name not in known:
            found.append(one)
        elif (one.name, frozenset(one.extras)) not in seen and (of_deployables or one.name in (name, LIBRARY)):
            seen.add((one.name, frozenset(one.extras)))
            left += known[one.name].requirements
            left += [each for extra in one.extras for each in known[one.name].extras[extra]]
    return found


def names(requirements: Sequence[Requirement]) -> set[str]:
    return {canonicalize_name(one.name) for one in requirements}


def _parsed(said: Sequence[str]) -> tuple[Requirement, ...]:
    return tuple(map(Requirement, said))
