"""`endcap doctor`: what the values of a release need, held against a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json
from endcap.core.errors import ClusterUnfit


def doctor(
    *,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the release.")],
    values: Annotated[list[Path] | None, typer.Option("--values", "-f", help="Values files as given to Helm, in order.")] = None,
    release: Annotated[str, typer.Option(help="Name of the release.")] = "endcap",
    chart: Annotated[Path, typer.Option(help="Folder of endcap's chart.")] = Path("charts/endcap"),
    timeout_s: Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds within which all checks must answer.")] = 30.0,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings and for what could not be looked at, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look whether a cluster has what the values of a release need, and say what to do about each gap; it changes nothing.

    Exits with 7 when something is missing, and with 5 when the cluster cannot be reached.

    Example: endcap doctor --namespace shop --values shop.yaml
    """
    from endcap.doctor.cluster import open_cluster
    from endcap.doctor.examination import examine
    from endcap.doctor.finding import State
    from endcap.doctor.release import Release
    from endcap.doctor.values import merge_values, read_chart

    read = read_chart(chart)
    merged = merge_values(read, values or [])
    report = examine(open_cluster(), Release(namespace, release, read.name, merged), read.version, timeout_s)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        from rich.console import Console

        from endcap.doctor.finding import print_report

        print_report(report, Console())
    failing = [State.GAP, State.WARNING, State.UNKNOWN] if strict else [State.GAP]
    if count := sum(report.counts[state] for state in failing):
        kinds = "gaps, warnings or unknown" if strict else "gaps"
        raise ClusterUnfit(f"{count} of {len(report.findings)} needs have {kinds}", field=namespace, fix="see what to do in each row")
