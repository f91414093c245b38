"""The folder of prepared lists: parts of Parquet, each there whole or not at all, and what they were asked for."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from endcap.contracts.answer import Answer
from endcap.core.errors import InvalidInput
from endcap.core.files import replace_text, replacing_file

PLAN = "lists.json"
SCHEMA = pl.Schema(
    {
        "user_id": pl.String(),
        "request_id": pl.String(),
        "item_id": pl.List(pl.String()),
        "score": pl.List(pl.Float32()),
        "propensity": pl.List(pl.Float32()),
        "source": pl.List(pl.String()),
        "degraded": pl.List(pl.String()),
        "bundle": pl.String(),
        "variant": pl.String(),
        "made_at": pl.Datetime("us", "UTC"),
    }
)
"""A row a person; the lists in it stand in the order of the places."""


class Plan(BaseModel):
    """What a folder is for; another run on it has to ask for the same.

    Attributes:
        run: begins the request ids of its lists.
        personalisation: whether these people allow it; None for what the endpoint takes where a request does not say.
        people_digest: of `People`.
        part_people: people of a part.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    run: str
    surface: str
    k: int
    personalisation: bool | None = None
    people: int
    people_digest: str
    part_people: int

    @property
    def parts(self) -> int:
        """How many there are."""
        return -(-self.people // self.part_people)


class PreparedFolder:
    """Parts of one plan.

    Args:
        path: the folder.
        plan: what it is for.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan

    @classmethod
    def open(cls, path: Path, wanted: Plan) -> Self:
        """Begin a folder, or go on with one.

        Args:
            path: the folder.
            wanted: its run counts only where the folder is new.

        Raises:
            InvalidInput: the folder is for something else.
        """
        if path.exists() and not path.is_dir():
            raise InvalidInput("is a file; lists are a folder of parts", field="--out", value=str(path), fix="name another")
        file = path / PLAN
        try:
            there = Plan.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            if path.exists() and any(path.iterdir()):
                raise InvalidInput("holds other files", field="--out", value=str(path), fix="name an empty or a new folder") from None
            path.mkdir(parents=True, exist_ok=True)
            replace_text(file, wanted.model_dump_json(indent=2) + "\n")
            return cls(path, wanted)
        except ValidationError:
            raise InvalidInput("is no plan of lists", field=str(file), fix="name a new folder") from None
        for name, value in wanted.model_dump(exclude={"run"}).items():
            if (begun := getattr(there, name)) != value:
                raise InvalidInput(
                    f"the folder was begun with {name} {begun}",
                    field="--out",
                    value=f"{path} for {value}",
                    fix="name another folder",
                )
        return cls(path, there)

    def missing(self) -> list[int]:
        """Parts that are not there yet."""
        return [part for part in range(self.plan.parts) if not self.file(part).exists()]

    def file(self, part: int) -> Path:
        return self.path / f"part-{part:06d}.parquet"

    def write(self, part: int, rows: pl.DataFrame) -> None:
        """Put a part there, whole."""
        with replacing_file(self.file(part)) as aside:
            rows.write_parquet(aside)


def rows_of(user_ids: Sequence[str], answers: Sequence[Answer], made_at: datetime) -> pl.DataFrame:
    """Rows of a part.

    Args:
        user_ids: of whom.
        answers: as many, in their order.
        made_at: UTC.
    """
    rows = [
        {
            "user_id": user_id,
            "request_id": answer.request_id,
            "item_id": [item.item_id for item in answer.recommendations],
            "score": [item.score for item in answer.recommendations],
            "propensity": [item.propensity for item in answer.recommendations],
            "source": [item.source for item in answer.recommendations],
            "degraded": answer.degraded,
            "bundle": answer.bundle,
            "variant": answer.variant,
            "made_at": made_at,
        }
        for user_id, answer in zip(user_ids, answers, strict=True)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
