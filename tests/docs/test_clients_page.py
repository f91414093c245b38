"""The page on clients: its programs run, and its tables have the options and defaults of the code."""

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from endcap_client.async_event_client import AsyncEventClient
from endcap_client.event_client import EventClient
from endcap_client.sending_options import SendingOptions
from tests.clients.javascript.shop import MODULE
from tests.clients.keyed_collector import SERVER_KEY, KeyedCollector, keyed_collector
from tests.docs.page import ROOT, Block, blocks

PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SHOWN_ENDPOINT = "https://events.shop.example/v1/events"
LINES_MAX = 10
FOR_TESTS = {"sources", "timer"}
"""Arguments by which a test stops the clock."""


def block(name: str) -> Block:
    (found,) = [each for each in blocks("clients.md") if each.name == name]
    return found


def table(title: str) -> dict[str, str]:
    """First and second column of the table whose head's first cell is the title."""
    rows = PAGE.partition(f"\n| {title} | default | meaning |\n")[2].partition("\n\n")[0].splitlines()[1:]
    cells = [re.split(r" ?\| ?", row.strip("| ")) for row in rows]
    return {name.strip("`"): default.strip("`") for name, default, *_ in (([*row, ""] if len(row) == 2 else row) for row in cells)}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedCollector]:
    with keyed_collector(tmp_path_factory.mktemp("page") / "home") as running:
        yield running


@pytest.mark.parametrize("name", ["first.html", "first.py"])
def test_the_first_event_takes_ten_lines(name: str) -> None:
    assert len([line for line in block(name).text.splitlines() if line.strip()]) <= LINES_MAX


@pytest.mark.processes
def test_the_first_event_of_a_server_is_stored(collector: KeyedCollector, tmp_path: Path) -> None:
    program = block("first.py").text.replace(SHOWN_ENDPOINT, collector.endpoint).replace("SERVER_KEY", SERVER_KEY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=60)
    (row,) = collector.stored().to_dicts()
    assert (row["event_type"], row["item_id"], row["quantity"], row["order_id"]) == ("purchase", "tea-0042", 2.0, "o-5001")
    assert list((tmp_path / "events").iterdir()) == []


def test_the_program_that_asks_for_a_list_is_one() -> None:
    compile(block("recommend.py").text, "recommend.py", "exec")


def test_the_options_of_the_pages_client_stand_with_their_defaults() -> None:
    source = (MODULE / "src" / "endcap.js").read_text(encoding="utf-8")
    said = source.partition("export const DEFAULTS = {\n")[2].partition("\n};")[0]
    defaults = dict(re.findall(r"^  (\w+): (.*),$", said, re.MULTILINE))
    shown = table("option")
    assert shown.keys() == {"endpoint", *defaults}
    for name, default in defaults.items():
        if "=>" not in default:
            value = re.sub(r"(\w+): ", r'"\1":', default).replace(", ", ",").replace("_", "")
            assert json.loads(shown[name]) == json.loads(value), name


@pytest.mark.parametrize("client", [EventClient, AsyncEventClient])
def test_the_arguments_of_the_servers_clients_stand_with_their_defaults(client: type) -> None:
    taken = inspect.signature(client).parameters
    shown = table("argument")
    assert shown.keys() == taken.keys() - FOR_TESTS
    assert {shown[name] for name in ("key", "folder")} == {repr(taken["key"].default)}


def test_the_sending_options_stand_with_their_defaults() -> None:
    assert table("`SendingOptions`") == {field.name: repr(field.default) for field in fields(SendingOptions)}


def test_every_helper_of_the_pages_client_stands_on_the_page() -> None:
    source = (MODULE / "src" / "endcap.js").read_text(encoding="utf-8")
    methods = set(re.findall(r"^  (?:get )?([a-z]\w+)\(.*\) \{$", source, re.MULTILINE)) - {"constructor"}
    assert methods
    assert [name for name in sorted(methods) if f"`{name}" not in PAGE and f" `{name}" not in PAGE] == []
