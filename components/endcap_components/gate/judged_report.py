"""The evaluation's report with the gate's decision in it."""

from html import escape
from pathlib import Path

from endcap.evaluation.gate import Decision
from endcap_components.evaluate.report_page import DECISION_PLACE


def write_judged_report(report: Path, target: Path, decision: Decision) -> None:
    """Write the page again, the decision and each of its conditions in the place that the page keeps for it; else at its end.

    Args:
        report: the HTML page of the step evaluate.
        target: the file to write.
        decision: what the gate said.
    """
    page = report.read_text(encoding="utf-8")
    section = _section(decision)
    target.parent.mkdir(parents=True, exist_ok=True)
    with_decision = page.replace(DECISION_PLACE, section, 1) if DECISION_PLACE in page else page + section
    target.write_text(with_decision, encoding="utf-8")


def _section(decision: Decision) -> str:
    conditions = "".join(f"<li>{escape(each)}</li>" for each in decision.conditions)
    return f"<section>\n<h2>Gate: {'accepted' if decision.accepted else 'refused'}</h2>\n<ul>{conditions}</ul>\n</section>"
