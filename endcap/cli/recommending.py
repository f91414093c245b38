"""`endcap recommend`: ask the running predict endpoint and show its answer."""

import json
import ssl
from http import HTTPStatus
from typing import Annotated, Any

import typer
from rich.console import Console

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.answer import Answer
from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput
from endcap.core.settings import load_settings
from endcap.demo.explained import print_explained

TIMEOUT_SECONDS = 10.0


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
    as_json: JsonOption = False,
) -> None:
    """Ask for recommendations.

    Example: endcap recommend --user 1364 --surface product --item 1082185 -k 5
    """
    instance: dict[str, Any] = {"surface": surface, "k": k, "explain": explain, "item_ids": list(item or [])}
    instance |= {name: value for name, value in (("user_id", user), ("session_id", session)) if value is not None}
    consent = {"personalisation": personalisation, "analytics": analytics}
    if stated := {name: value for name, value in consent.items() if value is not None}:
        instance["consent"] = stated
    serving = load_settings().serving
    answer = ask(url or f"http://{serving.host}:{serving.http_port}", serving.model_name, [instance])[0]
    if as_json:
        print_json(answer)
        return
    _show(answer, explain)


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
    import httpx

    try:
        response = httpx.post(
            f"{url.rstrip('/')}/v1/models/{model}:predict",
            json={"instances": instances},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            verify=ssl.create_default_context(),
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise InvalidInput("must be an address", field="--url", value=url, fix="for example http://127.0.0.1:8080") from None
    except httpx.HTTPError as error:
        raise DependencyUnavailable(f"no predict endpoint answers: {error}", field=url, fix="start it: `endcap serve`") from error
    return _predictions(response.status_code, response.content, url)


def _predictions(status: int, body: bytes, url: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(body)
    except json.JSONDecodeError:
        raise DependencyUnavailable("what answers is no predict endpoint", field=url, value=status) from None
    if 400 <= status < 500:
        raise InvalidInput(str(document.get("error", document)))
    if status != HTTPStatus.OK:
        raise EndcapError(f"the predict endpoint failed with status {status}: {document.get('error', document)}")
    predictions: list[dict[str, Any]] = document["predictions"]
    return predictions


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
