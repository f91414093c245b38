"""`endcap demo`: everything once, on this machine, with real data."""

import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.answer import Answer
from endcap.core.settings import Settings, load_settings

LATENCY_REQUESTS = 200


def demo(
    sample_households: Annotated[
        int | None, typer.Option(help="Use this many households instead of all 2,469; quicker, weaker.", min=50)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes of two-tower training; the pipeline's default when left out.", min=1)] = None,
    json_output: JsonOption = False,
) -> None:
    """Import real grocery data, train, index, serve, ask for recommendations, and stop everything again.

    Run again, it reuses what is done.

    Example: endcap demo --sample-households 300
    """
    from endcap.release.index.local_server import milvus_beside

    settings = load_settings()
    console = Console(stderr=json_output, highlight=False)
    started = time.monotonic()
    with milvus_beside(settings) as wait_for_milvus:
        _import(console, sample_households)
        wait_for_milvus()
        report = {"pipeline": _train(console, epochs)} | _serve_and_ask(console, settings)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s; everything that was started has stopped. `make serve` keeps serving.")
    if json_output:
        print_json(report)


def _import(console: Console, sample_households: int | None) -> None:
    from endcap.demo.parts import run_command

    _heading(console, 1, "Data: the Complete Journey, a year of real grocery receipts")
    sample = ["--sample-households", str(sample_households)] if sample_households else []
    dataset = run_command(["import", "complete-journey", *sample])
    rows = dataset["rows"]
    console.print(
        f"{rows['events']:,} purchases, {rows['items']:,} items, {rows['users']:,} households, {rows['promotions']:,} promotion rows; "
        f"{sum(dataset['rejected'].values()):,} bad rows kept aside with their reasons"
    )


def _train(console: Console, epochs: int | None) -> Any:
    from endcap.contracts.evaluation import Evaluation
    from endcap.demo.parts import run_command
    from endcap.demo.tables import print_offline_table

    _heading(console, 2, "Training: validate, features, two-tower, ranker, evaluation, gate, bundle, index")
    result = run_command(["pipeline", "run", *(["--epochs", str(epochs)] if epochs else [])])
    print_offline_table(console, Evaluation.model_validate(result["evaluation"]))
    console.print(f"Report with plots: {result['report']}")
    return result


def _serve_and_ask(console: Console, settings: Settings) -> dict[str, Any]:
    from endcap.demo.clicked_visit import click_and_ask, print_clicked_visit
    from endcap.demo.explained import ask_until_explored, print_explained
    from endcap.demo.parts import demo_rules, running_server
    from endcap.demo.scenes import explained_scene, latency_instances, scenes, visit_home
    from endcap.demo.shoppers import choose_cast
    from endcap.demo.tables import measure_latency

    _heading(console, 3, "Serving: Milvus, the model server, the transformer, the collector and the stream")
    cast = choose_cast(settings.data_dir)
    answers = []
    with running_server(settings, rules_file=demo_rules()) as server:
        client = server.predict
        console.print(f"Answering at {client.url}/v1/models/{settings.serving.model_name}:predict")
        console.print(f"Taking events in at {server.collector.base_url}/v1/events")
        visit = click_and_ask(lambda session_id: client.ask(visit_home(session_id)), server.collector, cast.session_items)
        print_clicked_visit(console, visit, [cast.titles[item] for item in cast.session_items])
        for scene in scenes(cast, visit.session_id):
            answer = client.ask(scene.instance)
            print_answer(console, scene.introduction, answer)
            answers.append({"request": scene.instance, "answer": answer.model_dump()})
        _heading(console, 4, "One list explained: sources, scores, rules, diversity and exploration")
        scene = explained_scene(cast)
        explained, asked = ask_until_explored(client.ask, scene.instance)
        print_explained(
            console, f"{scene.introduction}; asked {asked} {'time' if asked == 1 else 'times'} until a place explored", explained
        )
        console.print(f"Its rules: {demo_rules()}")
        _heading(console, 5, f"Latency: {LATENCY_REQUESTS} requests, one client")
        latency = measure_latency(client.ask, latency_instances(cast, visit.session_id, LATENCY_REQUESTS))
    print_table("Milliseconds by stage", latency, console)
    clicked = {"before": visit.before.model_dump(), "after": visit.after.model_dump(), "changed_ms": round(visit.changed_ms, 1)}
    return {
        "answers": answers,
        "clicked": clicked,
        "explained": {"request": scene.instance, "answer": explained.model_dump()},
        "latency": latency,
    }


def print_answer(console: Console, introduction: str, answer: Answer) -> None:
    """Print one list the way a person reads it."""
    table = Table(title=introduction, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for name in ("#", "item", "source", "reason"):
        table.add_column(name, justify="right" if name == "#" else "left", overflow="fold")
    for row in answer.recommendations:
        table.add_row(str(row.position), row.title, row.source.replace("_", " "), row.reason)
    console.print()
    console.print(table)
    if answer.degraded:
        console.print(f"degraded: {', '.join(answer.degraded)}", style="yellow")


def _heading(console: Console, number: int, text: str) -> None:
    console.print()
    console.rule(f"[bold]{number}. {text}", align="left")
