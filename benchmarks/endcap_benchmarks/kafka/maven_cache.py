"""What Maven fetches: once, kept outside the tree."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

FETCH_SECONDS = 600


def jars_of(pom: Path, what: str, *options: str) -> tuple[Path | None, str]:
    """Folder of all jars that a pom depends on, or the reason why there is none.

    Args:
        pom: names the version in the first property that ends in `.version`.
        what: they are of.
        options: of Maven's copying.
    """
    version = re.search(r"<(\w+)\.version>(.+)</\1\.version>", pom.read_text(encoding="utf-8"))
    if version is None:
        raise ValueError(f"{pom} names no version")
    return kept_or_fetched(
        what, version[2], lambda folder: ["-f", pom, "dependency:copy-dependencies", *options, f"-DoutputDirectory={folder}"]
    )


def kept_or_fetched(what: str, version: str, arguments: Callable[[Path], Sequence[str | Path]]) -> tuple[Path | None, str]:
    """Its folder, `<what>/<version>` in `$ENDCAP_TEST_CACHE`, else in one in the home folder; or the reason why there is none.

    Args:
        what: is fetched; the folder's name in small letters.
        version: of it.
        arguments: of Maven, which is to put all of it into the folder that they are given.
    """
    if shutil.which("java") is None:
        return None, f"{what} needs Java, and there is no java on the PATH"
    root = Path(os.environ.get("ENDCAP_TEST_CACHE") or Path.home() / ".cache" / "endcap")
    folder = root / what.lower() / version
    if folder.is_dir():
        return folder, ""
    if shutil.which("mvn") is None:
        return None, f"no {what} in {folder}, and no mvn on the PATH to fetch it"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (folder, "") if folder.is_dir() else _fetched(what, folder, arguments)


def _fetched(what: str, folder: Path, arguments: Callable[[Path], Sequence[str | Path]]) -> tuple[Path | None, str]:
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        made = Path(aside) / "made"
        command = ["mvn", "-q", "-B", *arguments(made)]
        # Some of Maven's goals leave notes in the folder they run in.
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False, cwd=aside)
        if done.returncode:
            return None, f"Maven could not fetch {what}: {done.stdout.strip()[-300:]}"
        made.rename(folder)
    return folder, ""
