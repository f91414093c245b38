"""`endcap pipeline`: run the training pipeline here, compile it, or start it on a server, once or on a schedule."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from endcap.cli.output import JsonOption, print_json
from endcap.core.errors import BundleRefused
from endcap.core.settings import Settings, load_settings
from endcap_pipelines.options import (
    CaCertOption,
    ExperimentOption,
    HostOption,
    NamespaceOption,
    ParameterOption,
    ServiceAccountOption,
    TimeoutOption,
    TokenFileOption,
    TokenOption,
    ValuesOption,
    arguments_of,
    server_of,
)
from endcap_pipelines.schedule_commands import schedule, unschedule

app = typer.Typer(help="Run, compile, submit or schedule the training pipeline.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", help="A canonical dataset.", show_default="$ENDCAP_HOME/data")]

app.command()(schedule)
app.command()(unschedule)


@app.command()
def run(  # noqa: PLR0917 - an option a parameter, as typer reads them
    data: DataOption = None,
    test_weeks: Annotated[
        int | None, typer.Option(min=1, help="Weeks at the end kept for evaluation.", show_default="what fits the data, at first 4")
    ] = None,
    ranking_windows: Annotated[
        int | None, typer.Option(min=1, help="Windows the ranker learns from, at most.", show_default="what fits the data, at most 3")
    ] = None,
    min_buyers: Annotated[
        int | None,
        typer.Option(min=1, help="Items with fewer buyers are not trained on or judged.", show_default="what fits the data, at most 5"),
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option(help="YAML that says how much each type of event teaches.", show_default="$ENDCAP_TRAINING__SIGNALS_FILE"),
    ] = None,
    item_to_item: Annotated[
        str | None,
        typer.Option(
            metavar="ALGORITHM",
            help='What makes the item-to-item table: an algorithm, or JSON with its settings: {"method": "ease", "regularisation": 300}.',
            show_default="ease, or item_to_item_cosine where ease has a table of its own",
        ),
    ] = None,
    ease: Annotated[
        str,
        typer.Option(help="Whether EASE has a table of its own: always, never, or auto: where order matters and little is bought twice."),
    ] = "auto",
    popularity_days: Annotated[int, typer.Option(min=1, help="Purchases of so many days count as popularity.")] = 28,
    distil: Annotated[bool, typer.Option("--distil", help="Serve a small student of the ranker instead of the ranker.")] = False,
    precision: Annotated[str, typer.Option(help="Stored type of the served weights: float32, float16, bfloat16 or int8.")] = "float32",
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes of both trainings.", show_default="the models' own")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="the settings' own")] = None,
    min_gain: Annotated[
        float, typer.Option(help="NDCG a bundle needs over the champion's, on the same people; below 0 is tolerance.")
    ] = -0.005,
    min_lift: Annotated[float, typer.Option(help="NDCG the ranker needs over the best simple method to order the lists.")] = 0.0,
    min_recall_lift: Annotated[float, typer.Option(help="Recall on new items the two-tower needs over popularity to be used.")] = 0.0,
    accept_uncompared: Annotated[
        bool,
        typer.Option(
            "--accept-uncompared", help="Let a bundle pass that cannot be compared with the champion, whose own bundle cannot be read."
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run every step, also those whose inputs did not change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run every step on this machine; ends with exit code 6 when the gate refuses the bundle.

    Example: endcap pipeline run --epochs 2
    """
    from endcap.core.person_ids import load_person_ids
    from endcap.dataset.kept_ids import require_kept
    from endcap.dataset.layout import open_dataset
    from endcap.demo.tables import print_offline_table
    from endcap.release.index.local_server import running_milvus
    from endcap_components.build_tables.ease_table import EaseTable
    from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
    from endcap_components.export_bundle.precision import Precision
    from endcap_pipelines.local_run import run_locally
    from endcap_pipelines.options import chosen_algorithm, two_tower_of
    from endcap_pipelines.placement import Placement
    from endcap_pipelines.results import TrainingResult
    from endcap_pipelines.training import training_pipeline

    stored_as = Precision.of(precision)
    settings = load_settings()
    dataset = open_dataset(data or settings.data_dir)
    require_kept(dataset, load_person_ids(settings))
    console = Console(stderr=True, highlight=False)
    fitting = {"epochs": epochs} if epochs else {}
    arguments = {
        "data_dir": str(dataset.path.absolute()),
        "fingerprint": dataset.fingerprint,
        "quotas": settings.retrieval.model_dump(),
        "test_weeks": test_weeks or 0,
        "ranking_windows": ranking_windows or 0,
        "min_buyers": min_buyers or 0,
        "signals": _own_signals(signals or settings.training.signals_file),
        "two_tower": two_tower_of(epochs),
        "ranker": fitting,
        "item_to_item": chosen_algorithm(item_to_item),
        "ease": EaseTable.of({"use": ease}).model_dump(mode="json", exclude_defaults=True),
        "popularity_days": popularity_days,
        "distil": DistillationHyperparameters(**fitting).model_dump(mode="json") if distil else {},
        "precision": stored_as.value,
        "seed": settings.seed if seed is None else seed,
        "min_gain": min_gain,
        "min_lift": min_lift,
        "min_recall_lift": min_recall_lift,
        "accept_uncompared": accept_uncompared,
        "home": _own_home_surface(settings),
    }
    with running_milvus(settings):
        done = run_locally(training_pipeline(Placement()), arguments, settings, console, use_cache=not force)
    result = TrainingResult.of(done, settings)
    if as_json:
        print_json(result.document())
    else:
        print_offline_table(Console(), result.evaluation)
        console.print(f"\nReport with plots: {result.report}\n{result.summary()}")
    if not result.accepted:
        raise BundleRefused(result.reason, field="gate", fix="what is served stays as it is")


def _own_signals(file: Path | None) -> dict[str, Any]:
    """What the shop's own file says; `{}` where it has none."""
    from endcap.training.signals_file import read_signals

    return {} if file is None else read_signals(file).model_dump(mode="json")


def _own_home_surface(settings: Settings) -> dict[str, Any]:
    """Surface `home` of the shop's own surfaces file; `{}` where it has none."""
    from endcap.engine.surfaces.surface import load_surfaces

    if settings.serving.surfaces_file is None:
        return {}
    home = load_surfaces(settings.serving.surfaces_file).surfaces.get("home")
    return home.model_dump(mode="json") if home is not None else {}


@app.command(name="compile")
def compile_(
    out: Annotated[Path, typer.Option(help="The YAML file to write.")] = Path("build/endcap-training.yaml"),
    values: ValuesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the pipeline as YAML for the Kubeflow Pipelines dashboard.

    Example: endcap pipeline compile --values charts/endcap/profiles/gpu.yaml
    """
    from endcap_pipelines.compiling import compile_pipeline
    from endcap_pipelines.values import read_values

    written = compile_pipeline(out, read_values(values or []))
    if as_json:
        print_json({"pipeline": str(written)})
    else:
        Console().print(f"wrote {written}", highlight=False, soft_wrap=True)


@app.command()
def submit(  # noqa: PLR0917 - an option a parameter, as typer reads them
    host: HostOption = None,
    values: ValuesOption = None,
    parameter: ParameterOption = None,
    namespace: NamespaceOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    ca_cert: CaCertOption = None,
    experiment: ExperimentOption = None,
    service_account: ServiceAccountOption = None,
    installed: Annotated[
        str | None,
        typer.Option(metavar="PIPELINE", help="Run its newest version on the server, such as the chart's; upload nothing."),
    ] = None,
    timeout: TimeoutOption = 0.0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run ends; exit code 1 when it fails.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Upload the pipeline to a Kubeflow Pipelines server and start a run.

    Example: endcap pipeline submit --host http://localhost:8888 --values charts/endcap/profiles/gpu.yaml -p test_weeks=8
    """
    from endcap_pipelines.retrying import until_answered
    from endcap_pipelines.submitting import Order, check_server, run_installed, submit_pipeline, wait_for_run
    from endcap_pipelines.values import read_values

    chart = read_values(values or [])
    given = chart.pipelines
    server = server_of(given, host, namespace, token=token, token_file=token_file, ca_cert=ca_cert)
    order = Order(arguments_of(parameter or []), experiment or given.experiment, service_account or given.service_account_name)
    until_answered(lambda: check_server(server, installed), timeout)
    now = datetime.now(UTC)
    submission = run_installed(server, order, installed, now) if installed else submit_pipeline(server, order, chart, now)
    if as_json:
        print_json(asdict(submission))
    else:
        Console().print(f"started run {submission.run_id}: {submission.url}", highlight=False, soft_wrap=True)
    if wait:
        wait_for_run(server, submission.run_id, timeout_s=6 * 3600)
