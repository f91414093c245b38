"""`endcap recommend`: ask the running predict endpoint and show its answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.answer import Answer
from endcap.core.errors import InvalidInput
from endcap.core.settings import load_settings
from endcap.demo.explained import print_explained

TIMEOUT_SECONDS = 10.0
PART_PEOPLE = 4_000


def recommend(  # noqa: PLR0917 - an option a parameter, as typer reads them
    user: Annotated[str | None, typer.Option(help="The customer.")] = None,
    session: Annotated[str | None, typer.Option(help="The visit.")] = None,
    surface: Annotated[str, typer.Option(help="home, product, cart, category, search or email.")] = "home",
    item: Annotated[list[str] | None, typer.Option(help="The page's item, the cart, the search results; repeat it.")] = None,
    k: Annotated[int, typer.Option("-k", help="How many items.")] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="Say how each item came to its place.")] = False,
    personalisation: Annotated[
        bool | None, typer.Option(help="Whether the customer allows it.", show_default="the endpoint's setting")
    ] = None,
    analytics: Annotated[bool | None, typer.Option(help="Whether the customer allows it.", show_default="the endpoint's setting")] = None,
    url: Annotated[str | None, typer.Option(help="The predict endpoint's address.", show_default="http://127.0.0.1:8080")] = None,
    for_all: Annotated[bool, typer.Option("--all", help="Prepare the lists of everybody who has features, as a mailing needs.")] = False,
    people: Annotated[Path | None, typer.Option(help="Prepare those of a CSV or Parquet file's column user_id.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for prepared lists; parts that are there are left alone.")] = None,
    share: Annotated[str, typer.Option(help="Prepare one share of the parts, beside other machines: 2/8.")] = "1/1",
    part_people: Annotated[int, typer.Option(min=1, help="People of a part of prepared lists.")] = PART_PEOPLE,
    as_json: JsonOption = False,
) -> None:
    """Ask for recommendations.

    Example: endcap recommend --user 1364 --surface product --item 1082185 -k 5

    Example: endcap recommend --all --surface email --out lists.parquet
    """
    serving = load_settings().serving
    address = url or f"http://{serving.host}:{serving.http_port}"
    if for_all or people is not None:
        _refuse_beside_prepared({"--user": user, "--session": session, "--item": item, "--explain": explain, "--analytics": analytics})
        from endcap.cli.preparing_lists import PreparedRequest, prepare_lists

        prepare_lists(PreparedRequest(address, surface, k, personalisation, people, out, share, part_people), as_json=as_json)
        return
    if out is not None:
        raise InvalidInput("prepared lists need to know for whom", field="--out", value=str(out), fix="add --all, or --people FILE")
    instance: dict[str, Any] = {"surface": surface, "k": k, "explain": explain, "item_ids": list(item or [])}
    instance |= {name: value for name, value in (("user_id", user), ("session_id", session)) if value is not None}
    consent = {"personalisation": personalisation, "analytics": analytics}
    if stated := {name: value for name, value in consent.items() if value is not None}:
        instance["consent"] = stated
    answer = ask(address, serving.model_name, [instance])[0]
    if as_json:
        print_json(answer)
        return
    _show(answer, explain)


def _refuse_beside_prepared(given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value:
            raise InvalidInput("is for one list; --all and --people prepare many", field=option, value=value, fix="leave one of them out")


def ask(url: str, model: str, instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers to some instances.

    Args:
        url: the predict endpoint, for example http://127.0.0.1:8080.
        model: the model's name there.
        instances: as `endcap.contracts.request.Instance`.

    Raises:
        DependencyUnavailable: nothing answers at the address.
        InvalidInput: the endpoint refused the request.
    """
    from endcap.core.predict_endpoint import PredictEndpoint, predictions

    with PredictEndpoint(url, model, TIMEOUT_SECONDS) as endpoint:
        return predictions(endpoint.answer(instances), url)


def _show(answer: dict[str, Any], explain: bool) -> None:
    console = Console()
    columns = ("position", "title", "source", "reason", "score", "item_id")
    rows = [{name: item[name] for name in columns} for item in answer["recommendations"]]
    title = f"{answer['bundle']}, request {answer['request_id']}"
    if explain:
        print_explained(console, title, Answer.model_validate(answer))
    else:
        print_table(title, rows, console)
    filters = [name for name in answer["ignored"] if name.startswith("filters.")]
    unknown = [name for name in answer["ignored"] if name not in filters]
    if unknown:
        console.print(f"unknown items: {', '.join(unknown)}")
    if filters:
        console.print(f"left out, since they cannot apply: {', '.join(filters)}")
    if not answer.get("personalised", True):
        console.print("not personalised: no consent, or neither user nor session")
    if answer["degraded"]:
        console.print(f"fell back: {', '.join(answer['degraded'])}")
    console.print("ms: " + "  ".join(f"{stage} {took:.1f}" for stage, took in answer["timings_ms"].items()), highlight=False)
