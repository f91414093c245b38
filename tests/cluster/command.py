"""helm and kubectl, called as a person calls them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TIMEOUT_S = 120.0


class CommandFailed(Exception):
    """The command ended with an error; the message has what it said."""


class Command:
    """A program against one cluster.

    Args:
        name: looked for beside the Python that runs the tests, then on the PATH.
        environment: on top of the caller's own.

    Raises:
        FileNotFoundError: it is in neither place.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        found = shutil.which(name, path=places)
        if found is None:
            raise FileNotFoundError(f"{name} is neither beside {sys.executable} nor on the PATH: run `make setup`")
        self._program = found
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
        self._environment = {**kept, **environment}

    def __call__(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Standard output.

        Raises:
            CommandFailed: it ended with another code than 0.
        """
        done = self.run(*arguments, stdin=stdin)
        if done.returncode:
            shown = " ".join(map(str, arguments))
            raise CommandFailed(f"{Path(self._program).name} {shown} ended with {done.returncode}:\n{done.stderr}{done.stdout[-2000:]}")
        return done.stdout

    def run(self, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """The same, for a command that may fail."""
        command = [self._program, *map(str, arguments)]
        return subprocess.run(command, input=stdin, env=self._environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
