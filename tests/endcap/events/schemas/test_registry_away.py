"""A registry is killed: whoever once knew its ids goes on, also a process that starts only then."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from endcap.core.settings import EventSettings, Settings
from endcap.events.schemas.frame import Value, opened
from endcap.events.schemas.publishing import published
from endcap.events.schemas.registry import open_registry
from endcap.events.schemas.value_format import open_value_format
from tests.schema_registry.apicurio import ApicurioRegistry, running_registry

pytestmark = pytest.mark.processes

TOPIC = "endcap.events.v1"
WRITER = f"""
import sys
from pathlib import Path
from endcap.core.settings import load_settings
from endcap.events.schemas.value_format import open_value_format
counts = []
values = open_value_format(load_settings(), "{TOPIC}", counts.append)
Path(sys.argv[1]).write_text(f"{{values.encoded(b'{{}}').hex()}} {{sum(counts)}}")
values.close()
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApicurioRegistry, Path, int, list[bytes]]]:
    """A registry that was killed while a process wrote; the process's home folder, the id, and what it wrote after that."""
    home = tmp_path_factory.mktemp("home")
    with running_registry(tmp_path_factory.mktemp("apicurio")) as server:
        settings = Settings(home=home, schemas=server.settings.model_copy(update={"refresh_seconds": 0.05}), events=EventSettings())
        with closing(open_registry(server.settings)) as registry:
            *_, schema_id = [each.id for each in published(registry, settings.events, is_dry_run=False) if each.subject == f"{TOPIC}-value"]
        assert schema_id is not None
        with closing(open_value_format(settings, TOPIC, lambda _: None)) as values:
            assert opened(values.encoded(b"{}")) == Value(b"{}", schema_id)
            server.kill()
            written = [values.encoded(b"{}") for _ in range(1_000)]
        yield server, home, schema_id, written


def started_anew(server: ApicurioRegistry, home: Path) -> tuple[Value, int]:
    """What a new process writes, and how many values it counts as plain."""
    environment = {**os.environ, "ENDCAP_HOME": str(home), "ENDCAP_SCHEMAS__REGISTRY_URL": server.url}
    subprocess.run([sys.executable, "-c", WRITER, home / "written"], env=environment, capture_output=True, check=True)
    value, counted = (home / "written").read_text().split()
    return opened(bytes.fromhex(value)), int(counted)


def test_a_process_that_knew_the_id_goes_on(killed: tuple[ApicurioRegistry, Path, int, list[bytes]]) -> None:
    _, _, schema_id, written = killed
    assert {opened(value) for value in written} == {Value(b"{}", schema_id)}


def test_a_new_process_with_the_same_home_goes_on(killed: tuple[ApicurioRegistry, Path, int, list[bytes]]) -> None:
    server, home, schema_id, _ = killed
    assert started_anew(server, home) == (Value(b"{}", schema_id), 0)


def test_a_process_that_never_knew_the_id_writes_plain_json_and_counts_it(
    killed: tuple[ApicurioRegistry, Path, int, list[bytes]], tmp_path: Path
) -> None:
    assert started_anew(killed[0], tmp_path) == (Value(b"{}"), 1)
