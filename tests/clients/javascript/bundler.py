"""esbuild and TypeScript as clients/javascript/package-lock.json has it, kept between runs."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.javascript.shop import MODULE
from tests.debian_programs import cache_folder

_LOCKED = ("package.json", "package-lock.json", ".npmrc")


def required_bundler() -> Path:
    """A folder in which `npm run build` and `npx tsc` work, or a skipped test with the reason."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, with which clients/javascript/dist is built")
    digest = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in _LOCKED)).hexdigest()[:16]
    folder = cache_folder().parent / "bundler" / digest
    if not (folder / "node_modules" / ".bin" / "esbuild").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in _LOCKED:
            shutil.copy(MODULE / name, folder / name)
        # Its install script only looks for the program that npm put there already.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install the locked programs: {done.stderr.strip()[-200:]}")
    return folder
