"""`endcap doctor` as a person runs it, also where the installed command is older than the source."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.chart import CHART

PROGRAM = """
from importlib.metadata import EntryPoint
from endcap.cli import main
names = {"doctor": "endcap.cli.doctor:doctor", "rollout": "endcap.cli.rollouts:app"}
main.entry_points = lambda group: [EntryPoint(name, value, group) for name, value in names.items()]
main.main()
"""
TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Doctor:
    """One kubeconfig's view.

    Attributes:
        columns: width of the table.
    """

    kubeconfig: Path
    columns: int = 140

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PROGRAM, "doctor", "--chart", str(CHART), *map(str, arguments)]
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "COLUMNS": str(self.columns)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    def findings(self, *arguments: str | Path) -> dict[tuple[str, str], dict[str, Any]]:
        """By part and check; where two have the same, the last one."""
        done = self.run(*arguments, "--json")
        assert done.returncode in (0, 7), done.stderr
        return {(each["part"], each["check"]): each for each in json.loads(done.stdout)["findings"]}
