"""Files that other processes replace while requests run: broken ones, and good ones again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from endcap.catalogue.item_updates import UPDATES_FILE, write_updates
from endcap.core.files import replace_bytes
from endcap.engine.exploration.evidence import EVIDENCE_SCHEMA
from endcap_benchmarks.synthetic.bundle import DATA_END
from tests.faults.deployment import Deployment
from tests.faults.load import Load, Outcomes
from tests.waiting import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

GOOD_RULES = """
version: 1
revision: {revision}
rules:
  - id: hidden
    where: item_id = '{hidden}'
    exclude: true
"""
BROKEN_RULES = (
    b"version: 1\nrules: [",
    b"\xff\xfe\x00rules",
    b"version: 1\nrules:\n  - id: a\n    where: colour = 'red'\n    exclude: true\n",
    b"",
)
NO_PARQUET = (b"", b"PAR1 no parquet at all")
EVIDENCE_FILE = "click_evidence.parquet"
GIVEN = [f"I{number:06d}" for number in (1, 2, 3, 4, 5)]


def shown(deployment: Deployment) -> set[str]:
    """Which of a few items may be shown: all of them, unless something hides one."""
    answer = deployment.predict({"surface": "search", "item_ids": GIVEN, "context": {"page": str(time.monotonic_ns())}})[0]
    return {item["item_id"] for item in answer["recommendations"]}


def is_hidden(deployment: Deployment, item: str) -> Callable[[], bool]:
    return lambda: shown(deployment) == set(GIVEN) - {item}


@pytest.fixture
def rules(deployment: Deployment) -> Iterator[Path]:
    path = deployment.settings.rules_file
    yield path
    path.unlink(missing_ok=True)
    until(lambda: shown(deployment) == set(GIVEN), "the rules stay without their file", 20)


@pytest.fixture
def live(deployment: Deployment) -> Iterator[Path]:
    yield deployment.settings.live_dir
    write_updates(deployment.settings.live_dir / UPDATES_FILE, updates([]))
    until(lambda: shown(deployment) == set(GIVEN), "the updates stay without their rows", 20)
    for path in deployment.settings.live_dir.iterdir():
        path.unlink()


def updates(out_of_stock: list[str]) -> pl.DataFrame:
    moment = DATA_END.replace(year=DATA_END.year + 1)
    return pl.DataFrame(
        {"item_id": out_of_stock, "updated_at": [moment] * len(out_of_stock), "availability": ["out_of_stock"] * len(out_of_stock)},
        schema={"item_id": pl.String, "updated_at": pl.Datetime("us", "UTC"), "availability": pl.String},
    )


def test_broken_rule_file_leaves_the_last_good_one(deployment: Deployment, load: Load, rules: Path) -> None:
    start, before = time.monotonic(), written(deployment, "rule file refused")
    replace_bytes(rules, GOOD_RULES.format(revision="good", hidden=GIVEN[0]).encode())
    until(is_hidden(deployment, GIVEN[0]), "the rule did not hold", 20)
    assert deployment.metric("endcap_rule_file_ok") == 1
    for number, broken in enumerate(BROKEN_RULES, start=before + 1):
        replace_bytes(rules, broken)
        until(lambda times=number: written(deployment, "rule file refused") >= times, "nobody said that the file is broken", 20)
        assert deployment.metric("endcap_rule_file_ok") == 0
        assert is_hidden(deployment, GIVEN[0])()
    held = time.monotonic()
    load.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", held)
    assert is_hidden(deployment, GIVEN[0])()
    assert written(deployment, "rule file refused") == before + len(BROKEN_RULES), "one line a broken file"
    replace_bytes(rules, GOOD_RULES.format(revision="mended", hidden=GIVEN[1]).encode())
    until(is_hidden(deployment, GIVEN[1]), "the mended file did not hold", 20)
    assert deployment.metric("endcap_rule_file_ok") == 1
    load.outcomes(start).require_sound()


def test_broken_item_updates_leave_the_earlier_ones(deployment: Deployment, load: Load, live: Path) -> None:
    start, path = time.monotonic(), live / UPDATES_FILE
    before = written(deployment, "item updates refused")
    write_updates(path, updates([GIVEN[2]]))
    until(is_hidden(deployment, GIVEN[2]), "the update did not hold", 20)
    for number, broken in enumerate(NO_PARQUET, start=before + 1):
        replace_bytes(path, broken)
        until(lambda times=number: written(deployment, "item updates refused") >= times, "nobody said that the file is broken", 20)
    load.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", time.monotonic())
    assert is_hidden(deployment, GIVEN[2])()
    write_updates(path, updates([GIVEN[3]]))
    until(is_hidden(deployment, GIVEN[3]), "the next file did not hold", 20)
    load.outcomes(start).require_sound()


def written(deployment: Deployment, line: str) -> int:
    """How often the transformer logged something."""
    return deployment.transformer.written().count(line)


def evidence_of(item: str) -> pl.DataFrame:
    return pl.DataFrame([{"item_id": item, "impressions": 900.0, "clicks": 9.0, "as_of": DATA_END}], schema=EVIDENCE_SCHEMA)


def mend_evidence(live: Path) -> None:
    aside = live / ".evidence"
    evidence_of(GIVEN[0]).write_parquet(aside)
    aside.replace(live / EVIDENCE_FILE)


def test_broken_click_evidence_leaves_the_earlier_one(deployment: Deployment, load: Load, live: Path) -> None:
    start, before = time.monotonic(), written(deployment, "click evidence refused")
    replace_bytes(live / EVIDENCE_FILE, NO_PARQUET[1])
    until(lambda: written(deployment, "click evidence refused") == before + 1, "nobody said that the file is broken", 20)
    pl.DataFrame({"item_id": [GIVEN[0]], "impressions": ["many"], "clicks": [[1, 2]]}).write_parquet(live / ".odd")
    (live / ".odd").replace(live / EVIDENCE_FILE)
    until(lambda: written(deployment, "click evidence refused") == before + 2, "nobody said that the file is broken", 20)
    mend_evidence(live)
    load.wait_for(lambda outcomes: len(outcomes) >= 12, "there were not enough requests", time.monotonic())
    load.outcomes(start).require_sound()
    assert written(deployment, "click evidence refused") == before + 2, "one line a broken file"


def test_folder_that_takes_no_events_costs_impressions_alone(deployment: Deployment, load: Load) -> None:
    folder = deployment.settings.event_log_dir
    load.wait_for(Outcomes.are_sound, "sound answers", 0)
    dropped, start = deployment.metric("endcap_impressions_dropped_total"), time.monotonic()
    away = folder.with_name("events-away")
    folder.rename(away)
    folder.write_text("a file where the folder was")  # permissions would not stop root
    for file in away.glob("*.open"):
        file.unlink()
    deployment.transformer.terminate()
    assert deployment.transformer.wait() == 0
    deployment.start_transformer()
    start = time.monotonic()
    load.wait_for(lambda outcomes: len(outcomes) >= 24, "there were not enough requests", start)
    load.outcomes(start).require_full()
    until(lambda: deployment.metric("endcap_impressions_dropped_total") > dropped, "dropped impressions are not counted", 20)
    assert "events dropped" in deployment.transformer.written()
    folder.unlink()
    away.rename(folder)
    until(lambda: bool(list(folder.glob(f"*-{deployment.transformer.psutil().pid}-*"))), "events are not written again", 20)
    load.outcomes(start).require_full()


def test_transformer_starts_beside_broken_files(deployment: Deployment, live: Path, rules: Path) -> None:
    for path in (rules, live / UPDATES_FILE, live / EVIDENCE_FILE):
        replace_bytes(path, b"neither YAML: [ nor Parquet")
    deployment.transformer.terminate()
    deployment.transformer.wait()
    deployment.start_transformer()
    assert deployment.predict({"user_id": "U1"})[0]["recommendations"]
    assert deployment.metric("endcap_rule_file_ok") == 0
