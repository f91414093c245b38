"""The commands of the page about schemas, on a real registry."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.page import blocks
from tests.schema_registry.apicurio import running_registry

pytestmark = pytest.mark.processes


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("schemas.md") if block.kind == "run"]
    with running_registry(tmp_path) as server:
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "COLUMNS": "200",
            "ENDCAP_HOME": str(tmp_path / "home"),
            "ENDCAP_SCHEMAS__REGISTRY_URL": server.url,
            "ENDCAP_SCHEMAS__TIMEOUT_SECONDS": "30",
        }
        done = subprocess.run(["bash", "-c", block.script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for said in ("as released", "would be registered", "endcap.events.v1-value", "endcap.impressions.v1-value", "compatible"):
        assert said in done.stdout
