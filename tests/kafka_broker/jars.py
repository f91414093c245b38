"""Kafka's own jars, fetched once by Maven and kept outside the tree."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

POM = Path(__file__).with_name("pom.xml")
FETCH_SECONDS = 600


def required_jars() -> Path:
    """Folder of the jars, or a skipped test with the reason."""
    folder, reason = _jars()
    if folder is None:
        pytest.skip(reason)
    return folder


def _kept_in() -> Path:
    """Folder that outlives a test run: `kafka/<version>` in `$ENDCAP_TEST_CACHE`, else in one in the home folder."""
    root = Path(os.environ.get("ENDCAP_TEST_CACHE") or Path.home() / ".cache" / "endcap")
    found = re.search(r"<kafka\.version>(.+)</kafka\.version>", POM.read_text())
    assert found is not None
    return root / "kafka" / found[1]


@cache
def _jars() -> tuple[Path | None, str]:
    if shutil.which("java") is None:
        return None, "a Kafka broker needs Java, and there is no java on the PATH"
    folder = _kept_in()
    if folder.is_dir():
        return folder, ""
    if shutil.which("mvn") is None:
        return None, f"no Kafka in {folder}, and no mvn on the PATH to fetch it"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (folder, "") if folder.is_dir() else _fetched(folder)


def _fetched(folder: Path) -> tuple[Path | None, str]:
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        command = [
            "mvn",
            "-q",
            "-B",
            "-f",
            POM,
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={aside}/jars",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode:
            return None, f"Maven could not fetch Kafka: {done.stdout.strip()[-300:]}"
        (Path(aside) / "jars").rename(folder)
    return folder, ""
