"""Categories that name the one above them, as paths from the broadest to their own."""

from pathlib import Path

import polars as pl

from endcap.core.errors import DataRejected
from endcap.dataset.sources.columns.texts import USUAL_NULLS, as_id
from endcap.dataset.sources.files.source_files import find_files
from endcap.dataset.sources.lookup_mapping import CategoryTree
from endcap.dataset.sources.lookups import read_columns

_KEY = "\x1fcategory"
_PATH = "\x1fpath"


class LoadedTree:
    """A category tree, read.

    Args:
        folder: the imported folder.
        place: how messages call it, for example `tables.items.category_tree`.

    Raises:
        InvalidInput: a file or column is missing.
        DataRejected: categories are above themselves.
    """

    def __init__(self, folder: Path, place: str, tree: CategoryTree) -> None:
        columns = [tree.id, tree.parent, *([tree.name] if tree.name else [])]
        frame = read_columns(find_files(folder, place, tree.files), tree, columns, place)
        texts = frame.select(
            as_id(frame[tree.id]).alias("id"),
            as_id(frame[tree.parent]).alias("parent"),
            as_id(frame[tree.name or tree.id]).alias("name"),
        )
        known = set(texts["id"])
        parents = {
            row["id"]: None if _is_top(row["id"], row["parent"], known) else row["parent"]
            for row in texts.iter_rows(named=True)
            if not _absent(row["id"])
        }
        names = {row["id"]: _none_if_absent(row["name"]) or row["id"] for row in texts.iter_rows(named=True)}
        paths = category_paths(parents, place)
        self._paths = pl.DataFrame(
            {_KEY: list(paths), _PATH: [[names.get(part, part) for part in path] for path in paths.values()]},
            schema={_KEY: pl.String, _PATH: pl.List(pl.String)},
        )

    def placed(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """The rows with paths in place of the ids in `column`; an id that the tree lacks is a path of itself."""
        keyed = frame.with_columns(as_id(frame[column]).alias(_KEY))
        found = keyed.join(self._paths, on=_KEY, how="left", maintain_order="left")
        own = pl.when(pl.col(_KEY).is_not_null()).then(pl.concat_list(_KEY))
        return found.with_columns(pl.coalesce(_PATH, own).alias(column)).drop(_KEY, _PATH)


def category_paths(parents: dict[str, str | None], place: str) -> dict[str, list[str]]:
    """The path of every category, its own id last.

    Raises:
        DataRejected: following the parents comes back to a category.
    """
    paths: dict[str, list[str]] = {}
    for category in parents:
        way: list[str] = []
        at: str | None = category
        while at is not None and at not in paths:
            if at in way:
                circle = [*way[way.index(at) :], at]
                raise DataRejected(
                    f"categories are above themselves: {' < '.join(circle)}", field=place, fix="leave the parent of one of them empty"
                )
            way.append(at)
            at = parents.get(at)
        above = paths[at] if at is not None else []
        for part in reversed(way):
            above = [*above, part]
            paths[part] = above
    return paths


_NO_PARENT = ("0", "-1")


def _is_top(category: str, parent: str | None, known: set[str]) -> bool:
    """Whether nothing is above: no parent, itself, or a number that is no category's."""
    return _absent(parent) or parent == category or (parent in _NO_PARENT and parent not in known)


def _absent(text: str | None) -> bool:
    return text is None or text.lower() in USUAL_NULLS


def _none_if_absent(text: str | None) -> str | None:
    return None if _absent(text) else text
