"""What TypeScript is told of the module, held against the module and the contract."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from endcap.contracts.event import EventFields
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from tests.clients.javascript.bundler import required_bundler
from tests.clients.javascript.shop import MODULE

TYPES = MODULE / "types" / "endcap.d.ts"
BY_THE_CLIENT = {"event_id", "event_type", "schema_version", "occurred_at", "sent_at", "session_id", "user_id"}
OF_SERVERS = {"order_id", "rating", "propensity", "served_by", "team"}
"""What only events of other keys have."""

USED = """
import {DEFAULTS, EndcapClient, type Consent, type EventFields} from "endcap-client";
const consent: Consent = {personalisation: true};
const context: EventFields = {surface: "home", experiments: [{experiment: "e", variant: "v", layer: "l"}]};
const client = new EndcapClient({endpoint: "/collect", consent, context, onRefused: (event, refusal) => [event.event_id, refusal.reason]});
client.identify(null);
client.productView("tea-0042", {position: 1, request_id: "r"});
client.custom("quiz", {answer: 3});
const id: string = client.track("click", {item_id: "tea-0042"});
client.flush().then(() => client.close());
export const shown = [id, client.sessionId, client.waiting + client.dropped, client.pageViewId, DEFAULTS.flushMs];
"""


def body_of(name: str) -> str:
    found = re.search(rf"export (?:interface|class) {name}[^{{]*\{{(.*?)\n\}}", TYPES.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_fields_are_those_of_the_contract_that_a_page_may_give() -> None:
    named = set(re.findall(r"^  (\w+)\??:", body_of("EventFields"), re.MULTILINE))
    assert named == set(EventFields.model_fields) - BY_THE_CLIENT - OF_SERVERS | {"properties"}


def test_types_of_events_are_those_of_a_browser_key() -> None:
    union = re.search(r"BrowserEventType =(.*?);", TYPES.read_text(encoding="utf-8"), re.DOTALL)
    assert union is not None
    assert set(re.findall(r'"(\w+)"', union[1])) == {str(each) for each in TYPES_OF_SCOPE[Scope.BROWSER]}


def test_options_and_methods_are_those_of_the_module() -> None:
    source = (MODULE / "src" / "endcap.js").read_text(encoding="utf-8")
    defaults = re.search(r"DEFAULTS = \{(.*?)\n\};", source, re.DOTALL)
    assert defaults is not None
    options = set(re.findall(r"^  (\w+)\??:", body_of("Options"), re.MULTILINE))
    assert options == {"endpoint", *re.findall(r"^  (\w+):", defaults[1], re.MULTILINE)}
    methods = set(re.findall(r"^  (?:get )?(\w+)(?:\(|:)", body_of("EndcapClient"), re.MULTILINE))
    in_module = set(re.findall(r"^  (?:get )?(\w+)(?:\([^;]*\) \{|;)$", source, re.MULTILINE))
    assert methods == in_module


def compiled(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Typechecks a module that imports the package as a shop's build does."""
    package = folder / "node_modules" / "endcap-client"
    shutil.rmtree(folder / "node_modules", ignore_errors=True)
    shutil.copytree(MODULE, package)
    (folder / "page.ts").write_text(code, encoding="utf-8")
    options = {"strict": True, "noEmit": True, "module": "esnext", "moduleResolution": "bundler", "target": "es2022", "types": []}
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["page.ts"]}), encoding="utf-8")
    program = required_bundler() / "node_modules" / ".bin" / "tsc"
    return subprocess.run([program, "--project", "."], cwd=folder, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.processes
def test_a_page_in_typescript_compiles(tmp_path: Path) -> None:
    done = compiled(tmp_path, USED)
    assert done.returncode == 0, done.stdout


@pytest.mark.processes
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('endpoint: "/collect", ', ""),
        ('track("click"', 'track("purchase"'),
        ("position: 1", 'position: "1"'),
        ("item_id:", "itemId:"),
        ("personalisation: true", "marketing: true"),
    ],
)
def test_what_the_collector_would_refuse_does_not_compile(tmp_path: Path, before: str, after: str) -> None:
    assert before in USED
    done = compiled(tmp_path, USED.replace(before, after, 1))
    assert done.returncode != 0
    assert "page.ts" in done.stdout
