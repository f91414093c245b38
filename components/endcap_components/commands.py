"""The `endcap features` command."""

import time
from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.settings import load_settings


def features(
    *,
    data: Annotated[Path | None, typer.Option(help="The canonical dataset; default: the imported one.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Where the feature tables go; default: the offline store.", show_default=False)] = None,
    test_weeks: Annotated[
        int | None, typer.Option(min=1, help="Whole weeks at the end kept for evaluation.", show_default="what fits, at most 4")
    ] = None,
    ranking_windows: Annotated[
        int | None, typer.Option(min=1, help="Label windows the ranker learns from, at most.", show_default="what fits, at most 3")
    ] = None,
    publish: Annotated[bool, typer.Option(help="Make the tables Feast's offline store, register them and fill the online store.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Build the feature tables, publish them to Feast and fill the online store.

    Example: endcap features --data .endcap/data
    """
    from endcap.contracts.training_plan import Timetable
    from endcap.core.person_ids import load_person_ids
    from endcap.dataset.kept_ids import require_kept
    from endcap.dataset.layout import open_dataset
    from endcap.features.snapshots import FeatureOptions
    from endcap.features.store.materialize import materialize
    from endcap.features.store.publish import publish_features
    from endcap.training.planning.planning import Requested, plan_training
    from endcap.training.signals_file import read_signals
    from endcap_components.build_features.step import build_features_step

    settings = load_settings()
    folder = out or settings.features_dir
    dataset_dir = data or settings.data_dir
    dataset = open_dataset(dataset_dir)
    require_kept(dataset, load_person_ids(settings))
    signals = read_signals(settings.training.signals_file)
    if test_weeks or ranking_windows:
        weeks, windows = test_weeks or 4, ranking_windows or 3
        options = FeatureOptions.of(Timetable(test_weeks=weeks, ranking_windows=windows), signals)
    else:
        plan = plan_training(dataset, Requested(signals=signals))
        options = FeatureOptions.of(plan.times, plan.signals)
    summary = build_features_step(dataset_dir, folder, options)
    seconds = dict(summary.seconds)
    if publish:
        started = time.perf_counter()
        publish_features(folder, settings)
        seconds["publish"] = round(time.perf_counter() - started, 3)
        started = time.perf_counter()
        materialize(settings, summary.manifest.data_end)
        seconds["online store"] = round(time.perf_counter() - started, 3)
    if as_json:
        manifest = summary.manifest.model_dump(mode="json")
        print_json({"folder": str(folder), "rows": summary.rows, "columns": summary.columns, "seconds": seconds, "manifest": manifest})
        return
    steps = [
        {"step": name, "rows": summary.rows.get(name), "columns": summary.columns.get(name), "seconds": took}
        for name, took in seconds.items()
    ]
    print_table(f"Features in {folder}", steps)
