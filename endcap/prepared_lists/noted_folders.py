"""Where prepared lists stand, so that a list is found by its request id when somebody sees it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from endcap.core.files import replace_text
from endcap.core.log import get_logger
from endcap.prepared_lists.prepared_folder import PLAN, SCHEMA, Plan, PreparedFolder

_FOLDER = "folder"
FOUND_SCHEMA = pl.Schema({**SCHEMA, "surface": pl.String()})
"""As in the folder, and what its lists were made for."""


@dataclass(frozen=True)
class NotedFolders:
    """A note a run of `endcap recommend --all`.

    Attributes:
        notes: the folder of notes. A folder of lists below its parent is noted by its place there, so that both may be reached by another
            path elsewhere.
    """

    notes: Path
    _complained: set[Path] = field(default_factory=set, compare=False)

    def note(self, folder: PreparedFolder) -> None:
        """Remember a folder."""
        self.notes.mkdir(parents=True, exist_ok=True)
        path, base = folder.path.resolve(), self.notes.parent.resolve()
        place = path.relative_to(base) if path.is_relative_to(base) else path
        replace_text(self._note_of(folder.plan.run), json.dumps({_FOLDER: str(place)}) + "\n")

    def lists_of(self, request_ids: Sequence[str]) -> pl.DataFrame:
        """Rows of FOUND_SCHEMA: those lists that were prepared. Ids of other lists are passed over; a part that is gone is complained of.

        Args:
            request_ids: of lists, prepared or not.

        Raises:
            OSError: a note or a part cannot be read.
        """
        wanted: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        runs = sorted((unquote(each.stem) for each in self.notes.glob("*.json")), key=len, reverse=True)
        for request_id in request_ids:
            run = next((each for each in runs if request_id.startswith(f"{each}-")), None)
            part = request_id[len(run) + 1 :].partition("-")[0] if run else ""
            if run and part.isascii() and part.isdecimal():
                wanted[run, int(part)].append(request_id)
        found = [self._rows(run, part, ids) for (run, part), ids in wanted.items()]
        return pl.concat([pl.DataFrame(schema=FOUND_SCHEMA), *found])

    def _rows(self, run: str, part: int, request_ids: Sequence[str]) -> pl.DataFrame:
        path = self.notes.parent / json.loads(self._note_of(run).read_text())[_FOLDER]
        try:
            plan = Plan.model_validate_json((path / PLAN).read_bytes())
            rows = pl.read_parquet(PreparedFolder(path, plan).file(part))
        except FileNotFoundError:
            self._complain(path)
            return pl.DataFrame(schema=FOUND_SCHEMA)
        wanted = rows.filter(pl.col("request_id").is_in(request_ids), pl.col("item_id").list.len() > 0)
        return wanted.with_columns(surface=pl.lit(plan.surface)).select(FOUND_SCHEMA.names())

    def _note_of(self, run: str) -> Path:
        return self.notes / f"{quote(run, safe='')}.json"

    def _complain(self, path: Path) -> None:
        if path not in self._complained:
            self._complained.add(path)
            get_logger("prepared_lists").warning("lists of opened mails are gone; they count as never shown", folder=str(path))
