"""Apicurio Registry's program, fetched once by Maven and kept outside the tree."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from endcap_benchmarks.kafka.maven_cache import kept_or_fetched
from tests.maven_cache import required

VERSION = "2.6.13.Final"
"""The last line that runs on Java 17."""

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def required_jar() -> Path:
    """The program's jar, its libraries beside it; or a skipped test with the reason."""
    (jar,) = required(_distribution()).glob("**/apicurio-registry-app-*-runner.jar")
    return jar


@cache
def _distribution() -> tuple[Path | None, str]:
    return kept_or_fetched("Apicurio", VERSION, _unpacked_to)


def _unpacked_to(folder: Path) -> Sequence[str | Path]:
    artifact = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all"
    return [f"{_PLUGIN}:unpack", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
