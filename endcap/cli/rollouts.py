"""`endcap rollout`: candidates on their way to all traffic, and what stopped them."""

from typing import Annotated, Any

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.contracts.rollout import Action
from endcap.core.errors import BundleRefused, InvalidInput
from endcap.core.settings import Settings, load_settings
from endcap.release.rollout.report import guardrail_rows, overview_row, summary_rows
from endcap.release.rollout.resource import Rollout

app = typer.Typer(help="Start, watch and steer rollouts on a cluster.", no_args_is_help=True)

NameArgument = Annotated[
    str | None, typer.Argument(help="Rollout or version of its bundle; without one, the oldest that has not ended, else the newest.")
]
POLL_S = 2.0


@app.command()
def start(
    version: Annotated[int, typer.Argument(help="Version of the bundle, see `endcap bundle list`.")],
    storage_uri: Annotated[str | None, typer.Option(help="Where KServe finds it; empty for its place in the bundle store.")] = None,
    collection: Annotated[str | None, typer.Option(help="Its Milvus collection; empty for the one named after the version.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Start it again although a rollout of this bundle has ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Roll a bundle out to the target of the settings, with their steps and guardrails.

    Example: endcap rollout start 20261127080000
    """
    from endcap.contracts.rollout import RolloutBundle
    from endcap.release.index.collection import collection_name
    from endcap.release.rollout.client import create_rollout

    settings = load_settings()
    bundle = RolloutBundle(
        version=version,
        storage_uri=storage_uri or _place_in_store(settings, version),
        collection=collection or collection_name(settings.milvus.collection_prefix, version),
    )
    name = create_rollout(settings, bundle, again=again)
    if as_json:
        print_json({"rollout": name, "bundle": bundle.model_dump(mode="json")})
    else:
        typer.echo(f"Rollout {name} is there; follow it with `endcap rollout watch {name}`.")


@app.command(name="list")
def list_(as_json: JsonOption = False) -> None:
    """Show all rollouts, newest first.

    Example: endcap rollout list
    """
    from endcap.core.clock import system_clock
    from endcap.release.rollout.api_server import open_api_server
    from endcap.release.rollout.client import list_rollouts

    rollouts = list_rollouts(open_api_server(load_settings()))
    if as_json:
        print_json([_document(rollout) for rollout in rollouts])
    elif rollouts:
        print_table("Rollouts", [overview_row(rollout, system_clock()) for rollout in rollouts])
    else:
        typer.echo("No rollouts yet; start one with `endcap rollout start VERSION`.")


@app.command()
def show(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Show where a rollout stands: step, weight, each guardrail's value against its limit, and why it waits or ended.

    Example: endcap rollout show 20261127080000
    """
    from endcap.core.clock import system_clock

    rollout = _found(name)
    if as_json:
        print_json(_document(rollout))
        return
    print_table(rollout.name, summary_rows(rollout, system_clock()))
    guardrails = guardrail_rows(rollout)
    if guardrails:
        print_table("Guardrails", guardrails)


@app.command()
def watch(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Say each change of a rollout until it ends; fails when it was rolled back.

    Example: endcap rollout watch 20261127080000
    """
    import time

    from endcap.contracts.rollout import Phase

    rollout = _found(name)
    said = ""
    while True:
        line = f"{rollout.status.phase or 'new'} {rollout.status.reason}: {rollout.status.message}"
        if line != said:
            typer.echo(line, err=as_json)
            said = line
        if rollout.has_ended:
            break
        time.sleep(POLL_S)
        rollout = _found(rollout.name)
    if as_json:
        print_json(_document(rollout))
    if rollout.status.phase == Phase.FAILED:
        raise BundleRefused(rollout.status.message, field=rollout.name, fix=f"see `endcap rollout show {rollout.name}`")


@app.command()
def pause(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Hold a rollout at its present weight; guardrails are still watched.

    Example: endcap rollout pause
    """
    _ask(name, Action.PAUSE, as_json)


@app.command()
def resume(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Go on with a paused rollout; what was edited by hand is taken over.

    Example: endcap rollout resume
    """
    _ask(name, Action.RESUME, as_json)


@app.command()
def abort(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Give all traffic back to the stable version.

    Example: endcap rollout abort
    """
    _ask(name, Action.ABORT, as_json)


@app.command()
def promote(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Skip the remaining steps: all traffic now, and the bundle becomes the stable one once every guardrail passes.

    Example: endcap rollout promote
    """
    _ask(name, Action.PROMOTE, as_json)


def _ask(name: str | None, action: Action, as_json: bool) -> None:
    from endcap.release.rollout.api_server import open_api_server
    from endcap.release.rollout.client import find_rollout, request_action

    server = open_api_server(load_settings())
    rollout = find_rollout(server, name)
    if rollout.has_ended:
        raise InvalidInput(f"the rollout has ended: {rollout.status.message}", field=rollout.name, value=str(action))
    request_action(server, rollout.name, action)
    if as_json:
        print_json({"rollout": rollout.name, "asked": str(action)})
    else:
        typer.echo(f"Asked the operator to {action} {rollout.name}; see `endcap rollout show {rollout.name}`.")


def _found(name: str | None) -> Rollout:
    from endcap.release.rollout.api_server import open_api_server
    from endcap.release.rollout.client import find_rollout

    return find_rollout(open_api_server(load_settings()), name)


def _place_in_store(settings: Settings, version: int) -> str:
    store = settings.rollouts.storage_uri
    if store is None:
        raise InvalidInput(
            "there is no bundle store", field="ENDCAP_ROLLOUTS__STORAGE_URI", fix="set it, or say where the bundle is with --storage-uri"
        )
    return f"{store.rstrip('/')}/{version}"


def _document(rollout: Rollout) -> dict[str, Any]:
    return {
        "name": rollout.name,
        "namespace": rollout.namespace,
        "created_at": rollout.created_at,
        "spec": rollout.spec.model_dump(mode="json"),
        "status": rollout.status.model_dump(mode="json"),
    }
