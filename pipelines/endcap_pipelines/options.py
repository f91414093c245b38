"""Options that the commands which talk to a Kubeflow Pipelines server share."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from endcap.core.errors import InvalidInput
from endcap_pipelines.server import Server
from endcap_pipelines.values import PipelineSection


def chosen_algorithm(text: str | None) -> dict[str, Any]:
    """The parameter from what stands on a command line: the name of an algorithm, or JSON with its settings; None for the default.

    Raises:
        InvalidInput: it is not readable, or names no algorithm with neighbours, or settings that the algorithm does not have.
    """
    # The algorithms' libraries take longer to load than all other commands need.
    from endcap.algorithms.registry import DEFAULT_ALGORITHM, neighbour_algorithm

    if text is None:
        return dict(DEFAULT_ALGORITHM)
    chosen: Any = {"method": text}
    if text.lstrip().startswith("{"):
        try:
            chosen = json.loads(text)
        except ValueError as error:
            raise InvalidInput("is no JSON", field="--item-to-item", value=text, fix='for example {"method": "ease"}') from error
    neighbour_algorithm(chosen, "--item-to-item")
    return dict(chosen)


def two_tower_of(epochs: int | None) -> dict[str, Any]:
    """The parameter of the two-tower for so many passes, whichever objective the data asks for; None for the models' own."""
    return {"epochs": epochs, "next_item": {"epochs": epochs}} if epochs else {}


def check_item_to_item(parameters: Mapping[str, Any]) -> None:
    """Refuse parameters of a run whose table could not be made.

    Raises:
        InvalidInput: as of `chosen_algorithm`.
    """
    from endcap.algorithms.registry import DEFAULT_ALGORITHM, neighbour_algorithm

    chosen = parameters.get("item_to_item", DEFAULT_ALGORITHM)
    if not isinstance(chosen, Mapping):
        raise InvalidInput("is no object", field="item_to_item", value=chosen, fix='for example {"method": "ease"}')
    neighbour_algorithm(chosen)


ValuesOption = Annotated[
    list[Path] | None,
    typer.Option("--values", "-f", help="Values file of the chart; `images` and `pipelines` count. Repeat it: the last one wins."),
]
HostOption = Annotated[
    str | None, typer.Option(envvar="KF_PIPELINES_ENDPOINT", help="Kubeflow Pipelines API.", show_default="`pipelines.host`")
]
ParameterOption = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=JSON", help="A parameter of the pipeline; repeat it.")
]
NamespaceOption = Annotated[
    str | None, typer.Option(envvar="KF_PIPELINES_NAMESPACE", help="Of a multi-user server.", show_default="`pipelines.namespace`")
]
TokenOption = Annotated[str | None, typer.Option(envvar="ENDCAP_KFP_TOKEN", help="Bearer token.", show_envvar=True)]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(envvar="KF_PIPELINES_SA_TOKEN_PATH", help="File with a token that is renewed, in a pod.", show_envvar=True),
]
CaCertOption = Annotated[Path | None, typer.Option(help="Certificate authority of the server, PEM.")]
ExperimentOption = Annotated[str | None, typer.Option(help="The experiment the run goes under.", show_default="`pipelines.experiment`")]
ServiceAccountOption = Annotated[
    str | None, typer.Option(help="Account that the steps' pods run as.", show_default="`pipelines.serviceAccountName`")
]
TimeoutOption = Annotated[
    float, typer.Option(min=0, help="Seconds to wait for the server, and for a pipeline that is about to be registered.")
]


def server_of(
    section: PipelineSection,
    host: str | None,
    namespace: str | None,
    *,
    token: str | None,
    token_file: Path | None,
    ca_cert: Path | None,
) -> Server:
    """The server of the options, where they say nothing of the values.

    Raises:
        InvalidInput: neither names an address.
    """
    address = host or section.host
    if not address:
        raise InvalidInput("is needed", field="--host", fix="give the API's address, or `pipelines.host` in the values")
    return Server(address, namespace or section.namespace or None, token, token_file, ca_cert)


def arguments_of(pairs: list[str]) -> dict[str, Any]:
    """Parameters of a run; what is no JSON is text.

    Raises:
        InvalidInput: one is not NAME=JSON, or names an unknown item-to-item algorithm.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise InvalidInput("must be NAME=JSON", field="--parameter", value=pair, fix="for example --parameter test_weeks=8")
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    check_item_to_item(arguments)
    return arguments
