"""`endcap validate`: judge a canonical dataset's rows again."""

from pathlib import Path
from typing import Annotated

import typer

from endcap.cli.output import JsonOption, print_json, print_table
from endcap.core.settings import load_settings


def validate(
    data: Annotated[Path | None, typer.Argument(help="Folder of the dataset; $ENDCAP_HOME/data unless given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every row of a canonical dataset against the contracts; ends with exit code 3 when a table has too many bad rows.

    Example: endcap validate sample
    """
    from endcap.dataset.assembly import judge_dataset
    from endcap.dataset.layout import open_dataset
    from endcap.dataset.progress_bars import table_bars

    settings = load_settings()
    dataset = open_dataset(data or settings.data_dir)
    with table_bars() as watch:
        tallies = judge_dataset(dataset, settings.data.max_rejected_share, watch)
    tables = [
        {
            "table": tally.table,
            "rows": tally.rows + tally.rejected,
            "bad": tally.rejected,
            "bad share": tally.rejected_share,
            "reasons": "; ".join(f"{column}: {reason} ({count:,})" for (column, reason), count in tally.reasons.most_common()),
        }
        for tally in tallies
    ]
    if as_json:
        print_json(
            {
                "path": str(dataset.path),
                "tables": [{**table, "refused_at_import": dataset.rejected[str(table["table"])]} for table in tables],
            }
        )
    else:
        print_table(f"{dataset.path}: good", tables)
