"""The report as people and programs read it."""

import io
import json

import pytest
from rich.console import Console

from endcap.doctor.finding import Finding, Report, State, counted, print_report

FIX = "kubectl create secret generic endcap-feast-registry --namespace shop --from-literal=registry=..."


def _report() -> Report:
    given = [
        ("KServe", "version", State.OK, ""),
        ("KServe", "istio", State.WARNING, "set it"),
        ("Secrets", "secret-endcap-feast-registry", State.GAP, FIX),
        ("Storage", "claim-endcap-bundles", State.UNKNOWN, ""),
    ]
    findings = tuple(
        Finding(part=part, check=check, needed=f"need of {check}", because="serving.enabled", found=f"found {check}", state=state, fix=fix)
        for part, check, state, fix in given
    )
    return Report(
        namespace="shop", release="endcap", chart_version="0.1.0", kubernetes="v1.30.2", counts=counted(findings), findings=findings
    )


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_the_table_keeps_within_the_terminal_and_loses_no_word(columns: int) -> None:
    written = io.StringIO()
    print_report(_report(), Console(file=written, width=columns))
    lines = written.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    text = " ".join(written.getvalue().split())
    assert [word for word in FIX.split() if word not in text] == []
    assert text.count("KServe") == 1
    assert text.endswith("1 gap, 1 warning, 1 unknown, 1 ok")


def test_the_document_has_a_stable_shape() -> None:
    document = json.loads(_report().model_dump_json())
    assert list(document) == ["format", "namespace", "release", "chart_version", "kubernetes", "counts", "findings"]
    assert document["format"] == 1
    assert document["counts"] == {"ok": 1, "gap": 1, "warning": 1, "unknown": 1}
    assert {tuple(each) for each in document["findings"]} == {("part", "check", "needed", "because", "found", "state", "fix")}
    assert Report.model_validate(document) == _report()
