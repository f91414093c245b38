"""Whom lists are prepared for."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import polars as pl

from endcap.contracts.reserved_id import ID_CHARACTERS_MAX
from endcap.core.errors import DataRejected, InvalidInput
from endcap.core.parquet_file import read_parquet_checked
from endcap.core.settings import Settings

USER_ID = "user_id"


@dataclass(frozen=True)
class Share:
    """One of several equal shares of the work, as machines side by side take them.

    Attributes:
        number: from 1.
        of: how many there are.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2/8`.

        Raises:
            InvalidInput: it is no share.
        """
        number, slash, of = text.partition("/")
        if slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
            return cls(int(number), int(of))
        raise InvalidInput("must be a number, a slash and how many there are", field="--share", value=text, fix="for example 2/8")

    def has(self, part: int) -> bool:
        """Whether a part, counted from 0, belongs to it."""
        return part % self.of == self.number - 1


@dataclass(frozen=True)
class People:
    """Ids in a fixed order, each once."""

    ids: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The same for the same people."""
        return sha256("\n".join(self.ids).encode()).hexdigest()[:16]

    @classmethod
    def known(cls, settings: Settings) -> Self:
        """Everybody who has features.

        Raises:
            InvalidInput: ids are kept hashed, so nobody here knows those that callers use.
            DataRejected: there are no features yet.
        """
        if settings.person_ids.hashed:
            raise InvalidInput("people are known by hashed ids only", field="--all", fix="name them: --people FILE")
        file = settings.features_dir / "user_features.parquet"
        try:
            return cls.of_table(read_parquet_checked(file, fix="endcap features", columns=[USER_ID]), str(file))
        except FileNotFoundError:
            raise DataRejected("nobody has features yet", field=str(file), fix="endcap features") from None

    @classmethod
    def of_file(cls, file: Path) -> Self:
        """The column `user_id` of a CSV or Parquet file.

        Raises:
            InvalidInput: there is no such file.
            DataRejected: it cannot be read, or lacks the column.
        """
        try:
            if file.suffix == ".parquet":
                return cls.of_table(read_parquet_checked(file, fix=f"name a file with the column {USER_ID}", columns=[USER_ID]), str(file))
            return cls.of_table(pl.read_csv(file, infer_schema=False, columns=[USER_ID]), str(file))
        except FileNotFoundError:
            raise InvalidInput("there is no such file", field="--people", value=str(file), fix="name a CSV or Parquet file") from None
        except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
            raise DataRejected(f"cannot be read ({error})", field=str(file), fix=f"name a CSV file with the column {USER_ID}") from None

    @classmethod
    def of_table(cls, table: pl.DataFrame, name: str) -> Self:
        """The column `user_id`, sorted; empty ones are left out.

        Raises:
            DataRejected: nobody is in it, or an id is longer than requests may have.
        """
        ids = table[USER_ID].cast(pl.String).drop_nulls().unique().sort()
        ids = ids.filter(ids != "")
        if too_long := ids.filter(ids.str.len_chars() > ID_CHARACTERS_MAX).to_list():
            raise DataRejected(f"must have at most {ID_CHARACTERS_MAX} characters", field=f"{name}: {USER_ID}", value=too_long[0])
        if ids.is_empty():
            raise DataRejected("nobody is in it", field=name, fix=f"fill the column {USER_ID}")
        return cls(tuple(ids.to_list()))
