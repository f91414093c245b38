"""Assembly of a canonical dataset from sources: judged, described, and put in its place as a whole."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from endcap.contracts.tables import TABLES
from endcap.core.files import replacing_folder
from endcap.dataset.canonical import canonical_sources
from endcap.dataset.event_facts import read_event_facts
from endcap.dataset.intake import Intake
from endcap.dataset.layout import Dataset, Origin, table_file, write_description
from endcap.dataset.rejection import Tally
from endcap.dataset.source import TableSource, Watch, watch_nothing


def build_dataset(
    sources: Iterable[TableSource], target: Path, origin: Origin, max_rejected_share: float, watch: Watch = watch_nothing
) -> Dataset:
    """Read every source and put the dataset in the place of `target` at the end; on failure `target` stays as it was.

    Raises:
        DataRejected: a table has a larger share of bad rows than allowed, there are no events, or prices in several currencies.
    """
    with replacing_folder(target) as folder, tempfile.TemporaryDirectory() as scratch:
        tallies = Intake(Path(scratch), folder, max_rejected_share, watch).take(sources)
        facts = read_event_facts(table_file(folder, "events"))
        dataset = Dataset(
            path=folder,
            source=origin.source,
            currency=facts.currency,
            fingerprint=origin.fingerprint,
            rows={tally.table: tally.rows for tally in tallies},
            rejected={tally.table: tally.rejected for tally in tallies},
            first_event_at=facts.first_event_at,
            last_event_at=facts.last_event_at,
        )
        write_description(dataset)
    return replace(dataset, path=target)


def judge_dataset(dataset: Dataset, max_rejected_share: float, watch: Watch = watch_nothing) -> Sequence[Tally]:
    """Judge every row of a canonical dataset again; nothing is written.

    Raises:
        DataRejected: a table has a larger share of bad rows than allowed, or a file is damaged.
    """
    with tempfile.TemporaryDirectory() as scratch:
        order = sorted(dataset.rows, key=lambda table: (table != "items", list(TABLES).index(table)))
        return Intake(Path(scratch), None, max_rejected_share, watch).take(canonical_sources(dataset, order))
