"""`python -m endcap_benchmarks.synthetic.transformer`: the transformer on a synthetic bundle, with users U0, U1, ... in place of Feast."""

import json
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from endcap.core.settings import Settings
from endcap.release.bundle.promotion import served_bundle
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_feature_row
from endcap_transformer.server.server import main


class SyntheticStore:
    """Knows every user whose id is U and a number, and the items of every session whose id is a JSON list of item ids."""

    def __init__(self, items: int) -> None:
        self._size = SyntheticSize(items=items)
        self._row = lru_cache(maxsize=1_000)(lambda user_id: make_feature_row(user_id, self._size))

    def read(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        known = user_id is not None and user_id.startswith("U") and user_id[1:].isdigit()
        named = session_id is not None and session_id.startswith("[")
        row = {
            "user": self._row(user_id) if known else None,
            "session": {"session_item_ids": json.loads(session_id or "")} if named else None,
        }
        return row if known or named else None

    def read_many(self, asked: Sequence[tuple[str | None, str | None]]) -> list[Mapping[str, Any] | None]:
        return [self.read(*each) for each in asked]


def open_synthetic_store(settings: Settings) -> SyntheticStore:
    return SyntheticStore(served_bundle(settings.served_dir).manifest.item_count)


if __name__ == "__main__":
    sys.exit(main(open_store=open_synthetic_store))
