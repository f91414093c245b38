"""One worker's part of training the two-tower, for whatever starts the workers: `python -m endcap_components.train_two_tower --help`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from endcap.core.errors import InvalidInput
from endcap.core.settings import load_settings
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.step import train_two_tower


def main(
    training: Annotated[Path, typer.Argument(help="A training set that every worker can read.")],
    out: Annotated[Path, typer.Argument(help="Folder of the artifact; the first worker writes it.")],
    hyperparameters: Annotated[str, typer.Option(help="Overrides of the defaults, as JSON.")] = "{}",
    seed: Annotated[int | None, typer.Option(help="Of everything random.", show_default="the settings' own")] = None,
) -> None:
    """Train the two-tower with the workers that TF_CONFIG names, or alone without it."""
    settings = load_settings()
    parameters = TwoTowerHyperparameters.of(_overrides(hyperparameters))
    logged = train_two_tower(training, out, parameters, settings.seed if seed is None else seed, settings.training)
    typer.echo(json.dumps(logged))


def _overrides(text: str) -> dict[str, Any]:
    try:
        overrides = json.loads(text)
    except ValueError:
        overrides = None
    if not isinstance(overrides, dict):
        raise InvalidInput("must be a map as JSON", field="--hyperparameters", value=text)
    return overrides


if __name__ == "__main__":
    typer.run(main)
