import uuid

import polars as pl

from endcap.dataset.sources.event_ids import EVENT_NAMESPACE, event_uuids


def test_every_name_of_many_has_its_own_id_in_its_place() -> None:
    names = [f"orders.csv#{number}" for number in range(120_000)]
    made = event_uuids(pl.Series(names)).to_list()
    assert len(set(made)) == len(names)
    for place in range(0, len(names), 997):
        assert made[place] == str(uuid.uuid3(EVENT_NAMESPACE, names[place]))
