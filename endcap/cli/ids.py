"""`endcap ids`: how people, visits and orders are named in what is stored."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.ports import is_free
from endcap.core.settings import Settings, load_settings

app = typer.Typer(help="Keep ids of people, visits and orders as a hash under a key of your own.", no_args_is_help=True)


@app.callback()
def ids() -> None:
    """Keep ids of people, visits and orders as a hash under a key of your own."""


@app.command("hash")
def hash_ids(
    data: Annotated[list[Path] | None, typer.Option("--data", help="More datasets to rename, beside $ENDCAP_HOME/data.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rename what is stored here, after ENDCAP_PERSON_IDS__HASHED was set: datasets and the event log; features are removed.

    Nothing may serve or take events meanwhile, and features have to be made again. There is no way back: a hash does not tell the id.

    Example: ENDCAP_PERSON_IDS__HASHED=true endcap ids hash
    """
    from endcap.core.person_ids import load_person_ids
    from endcap.dataset.kept_ids import with_kept_ids
    from endcap.dataset.layout import open_dataset
    from endcap.events.log.kept_ids import keep_ids_of_log

    settings = load_settings()
    kept = load_person_ids(settings)
    if kept.key is None:
        raise InvalidInput("ids are kept as given", field="ENDCAP_PERSON_IDS__HASHED", value=False, fix="set it to true, everywhere")
    _require_stopped(settings)
    folders = [settings.data_dir, *(data or [])]
    done = []
    for folder in folders:
        if folder != settings.data_dir or folder.is_dir():
            dataset = with_kept_ids(open_dataset(folder), kept)
            done.append({"what": "dataset", "where": str(folder), "ids": f"of {dataset.rows['events']:,} events"})
    renamed = keep_ids_of_log(settings.event_log_dir, kept)
    done.append({"what": "event log", "where": str(settings.event_log_dir), "ids": f"{renamed:,}"})
    removed = [folder for folder in (settings.features_dir, settings.feast_dir) if folder.is_dir()]
    for folder in removed:
        shutil.rmtree(folder)
        done.append({"what": "features", "where": str(folder), "ids": "removed"})
    if as_json:
        print_json({"key": kept.fingerprint, "event_log_ids": renamed, "done": done})
        return
    print_table(f"Ids are kept by the key {kept.fingerprint}", done)
    if removed:
        typer.echo("make the features again before anything is served: endcap features")


def _require_stopped(settings: Settings) -> None:
    listening = {
        "the collector": (settings.collector.host, settings.collector.port),
        "the transformer": (settings.serving.host, settings.serving.http_port),
    }
    for name, (host, port) in listening.items():
        if not is_free(port, host):
            raise DependencyUnavailable(
                f"{name} may still write: something listens on port {port}", field=name, fix="stop `endcap serve` first"
            )
