"""`endcap recommend --all`: lists of many people, prepared in a folder."""

from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from endcap.cli.output import print_json
from endcap.core.clock import system_clock
from endcap.core.errors import InvalidInput
from endcap.core.progress import StepProgress
from endcap.core.settings import load_settings
from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from endcap.prepared_lists.noted_folders import NotedFolders
from endcap.prepared_lists.people import People, Share
from endcap.prepared_lists.prepared_folder import Plan, PreparedFolder
from endcap.prepared_lists.preparing import Prepared, prepare


@dataclass(frozen=True)
class PreparedRequest:
    """What is to be prepared, as the command was given it.

    Attributes:
        url: the predict endpoint.
        people: file of user ids; None for everybody who has features.
        out: the folder.
        share: `2/8`.
        part_people: people of a part.
    """

    url: str
    surface: str
    k: int
    personalisation: bool | None
    people: Path | None
    out: Path | None
    share: str
    part_people: int


def prepare_lists(wanted: PreparedRequest, *, as_json: bool) -> None:
    """Prepare lists, show how far it is, and say what came of it.

    Raises:
        InvalidInput: no folder, or one that is for something else.
        DataRejected: nobody to prepare lists for.
        DependencyUnavailable: the endpoint does not answer; the same command goes on where this one ended.
    """
    settings = load_settings()
    if wanted.out is None:
        raise InvalidInput("is missing", field="--out", fix="name a folder for the lists: --out lists.parquet")
    share = Share.parse(wanted.share)
    people = People.known(settings) if wanted.people is None else People.of_file(wanted.people)
    plan = Plan(
        run=f"{wanted.surface}-{system_clock():%Y%m%dT%H%M%SZ}-{people.digest[:8]}",
        surface=wanted.surface,
        k=wanted.k,
        personalisation=wanted.personalisation,
        people=len(people.ids),
        people_digest=people.digest,
        part_people=wanted.part_people,
    )
    folder = PreparedFolder.open(wanted.out, plan)
    NotedFolders(settings.prepared_lists_dir).note(folder)
    with StepProgress() as bar, BulkEndpoint(wanted.url, settings.serving.model_name) as endpoint:
        task = bar.add_task("lists", total=len(people.ids) if share.of == 1 else None)
        done = prepare(people, folder, share, endpoint, system_clock, lambda count: bar.advance(task, count))
    if as_json:
        print_json(asdict(done) | {"folder": str(folder.path), "run": folder.plan.run})
    else:
        typer.echo(_summary(done, folder))


def _summary(done: Prepared, folder: PreparedFolder) -> str:
    lines = [f"{done.lists:,} lists made, {done.kept:,} were there: {folder.path}, request ids begin with {folder.plan.run}"]
    if done.degraded:
        lines.append(f"in {done.degraded:,} of them a stage fell back (column degraded)")
    if done.empty:
        lines.append(f"{done.empty:,} of them have no item that may be shown")
    if left := len(folder.missing()):
        lines.append(f"{left:,} of {folder.plan.parts:,} parts are left to other shares")
    return "\n".join(lines)
