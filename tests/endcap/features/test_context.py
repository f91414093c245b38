from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.features.columns import CONTEXT_SIZES, DEVICES, SURFACES
from endcap.features.context import context_rows

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def seconds(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


@given(MOMENTS, st.sampled_from(SURFACES), st.sampled_from(DEVICES))
def test_context_agrees_with_the_calendar(moment, surface, device):
    (row,) = context_rows([seconds(moment)], surface, device)
    assert row.tolist() == [moment.hour, moment.weekday(), moment.month, SURFACES.index(surface), DEVICES.index(device)]
    assert (row < np.array(CONTEXT_SIZES)).all()


@given(st.lists(st.tuples(MOMENTS, st.sampled_from([*SURFACES, "moon", None]), st.sampled_from([*DEVICES, "toaster", None])), max_size=20))
def test_many_rows_are_the_single_rows(asked):
    moments = [seconds(moment) for moment, _, _ in asked]
    rows = context_rows(moments, [surface for _, surface, _ in asked], [device for _, _, device in asked])
    assert rows.shape == (len(asked), 5)
    assert rows.dtype == np.int32
    assert rows.tolist() == [context_rows(seconds(moment), surface, device)[0].tolist() for moment, surface, device in asked]


def test_unknown_names_are_zero():
    assert context_rows(0, "moon", None)[0].tolist()[3:] == [0, 0]
