"""The dashboard and the alerts speak of metrics that exist, in PromQL that parses, and each alert comes when it should."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.utils import floatToGoString

from endcap.core.clock import system_clock
from endcap.core.metric_description import MetricDescription
from endcap_collector.metrics import CollectorMetrics
from endcap_stream import outcome_metrics
from endcap_stream.metrics import StreamMetrics
from endcap_transformer.telemetry import metrics as serving
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.debian_programs import required_program
from tests.monitoring.promql import used

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "alert-rules.yaml"
DASHBOARD = json.loads((ROOT / "monitoring" / "grafana-dashboard.json").read_text())
GUIDE = (ROOT / "docs" / "observability.md").read_text()
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
TARGET_LABELS = {"job", "instance"}
"""Prometheus adds these to everything it scrapes."""
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


def described() -> list[MetricDescription]:
    """Every metric of a transformer, a collector and a stream."""
    streamed = [*StreamMetrics(CollectorRegistry(), system_clock, (), ()).described, *outcome_metrics.DESCRIBED]
    return [*ServingMetrics(CollectorRegistry()).described, *CollectorMetrics(CollectorRegistry()).described, *streamed]


def exposed() -> dict[str, set[str]]:
    """Labels by name of every sample that a transformer, a collector or a stream can show, endcap's, KServe's and the process's."""
    labels: dict[str, set[str]] = {}
    for metric in described():
        for suffix in SUFFIXES.get(metric.kind, ("",)):
            labels[metric.name + suffix] = set(metric.labels) | ({"le"} if suffix == "_bucket" else set())
    import kserve.metrics
    from prometheus_client import REGISTRY

    kserve.metrics.PREDICT_HIST_TIME.labels("endcap")
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name.startswith(("request_", "process_", "python_")):
                labels.setdefault(sample.name, set()).update(sample.labels)
    return labels


def plain(expression: str) -> str:
    """A dashboard's expression with its variables filled in."""
    return expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$surface", ".*")


def dashboard_expressions() -> list[str]:
    targets = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return [plain(each) for each in targets + [each["expr"] for each in DASHBOARD["annotations"]["list"]]]


@pytest.fixture(scope="module")
def labels() -> dict[str, set[str]]:
    return exposed()


def bounds_of(bucket: str) -> set[str]:
    registry = CollectorRegistry()
    metrics = ServingMetrics(registry)
    families = (metrics.stage_seconds, metrics.list_seconds, metrics.source_seconds, metrics.source_candidates, metrics.buy_probability)
    return {f"{floatToGoString(bound)}" for family in families if f"{family.name}_bucket" == bucket for bound in family.bounds}


@pytest.mark.parametrize("expression", [*dashboard_expressions(), *(alert["expr"] for alert in ALERTS)])
def test_every_metric_and_label_exists(labels: dict[str, set[str]], expression: str) -> None:
    asked = used(expression)
    assert asked.metrics or "ALERTS" in expression
    known: set[str] = set(TARGET_LABELS)
    for name, matchers in asked.metrics.items():
        assert name in labels, f"no such metric: {name}"
        known |= labels[name]
        assert {label for label, _, _ in matchers} <= labels[name] | TARGET_LABELS, name
        for label, operator, value in matchers:
            assert label != "le" or operator != "=" or value in bounds_of(name), f"{name} has no bucket {value}"
    assert asked.grouping <= known, expression


@pytest.mark.parametrize("expression", ["sum(rate(endcap_lists_total[5m])", "sum by (job) (x) ??", "surely(endcap_lists_total)"])
def test_reader_refuses_what_is_no_promql(expression: str) -> None:
    with pytest.raises(AssertionError):
        used(expression)


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    shown = set().union(*(used(each).metrics for each in [*dashboard_expressions(), *(alert["expr"] for alert in ALERTS)]))
    missing = [
        metric.name for metric in described() if not any(metric.name + suffix in shown for suffix in SUFFIXES.get(metric.kind, ("",)))
    ]
    assert missing == []


def test_dashboard_can_be_imported() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Traffic and latency against the budget",
        "Stages",
        "Sources and filters",
        "Degradation",
        "Caches",
        "Rules",
        "Exploration and impressions",
        "Scores",
        "Bundle and item table",
        "Saturation",
        "Outcomes",
        "Events",
        "Probes",
    ]
    places: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & places, f"{panel['title']} covers another panel"
        places |= cells
        assert panel["type"] == "row" or all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_the_budget_by_default_is_a_bucket_of_its_own() -> None:
    from endcap.core.settings import ServingSettings

    assert ServingSettings().request_budget_ms / 1000 in serving.LATENCY_BUCKETS_S


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_says_what_it_means_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    path, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert path == "docs/observability.md"
    assert anchor == alert["alert"].lower()
    section = re.search(rf"^### {alert['alert']}\n(.+?)(?=^##|\Z)", GUIDE, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    assert len(section[1].split()) > 20


def test_guide_has_no_alert_that_does_not_exist() -> None:
    assert re.findall(r"^### (Endcap\w+)$", GUIDE, flags=re.MULTILINE) == [alert["alert"] for alert in ALERTS]


def test_guide_has_the_table_of_metrics() -> None:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.meaning.rstrip('.')} |"
        for metric in ServingMetrics(CollectorRegistry()).described
    ]
    assert re.findall(r"^\| `endcap_.*$", GUIDE, flags=re.MULTILINE) == rows, "the table should be:\n" + "\n".join(rows)


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = required_program("promtool")
    return subprocess.run([program.path, *arguments], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.processes
def test_prometheus_reads_the_rules() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.processes
def test_prometheus_reads_the_dashboards_expressions(tmp_path: Path) -> None:
    rules = [{"record": f"dashboard:{number}", "expr": each} for number, each in enumerate(dashboard_expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool("check", "rules", str(tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("cases", ["alert_cases.yaml", "slow_alert_cases.yaml"])
def test_alerts_come_when_they_should(cases: str) -> None:
    done = promtool("test", "rules", str(Path(__file__).parent / cases))
    assert done.returncode == 0, done.stdout + done.stderr
