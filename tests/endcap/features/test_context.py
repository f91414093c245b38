from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.features.columns import CONTEXT_SIZES, DEVICES, SURFACES
from endcap.features.context import context_row, context_rows

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.sampled_from(SURFACES), st.sampled_from(DEVICES))
def test_context_agrees_with_the_calendar(moment, surface, device):
    row = context_row(moment, surface, device)
    assert row.tolist() == [moment.hour, moment.weekday(), moment.month, SURFACES.index(surface), DEVICES.index(device)]
    assert (row < np.array(CONTEXT_SIZES)).all()


@given(st.lists(st.tuples(MOMENTS, st.sampled_from([*SURFACES, "moon", None]), st.sampled_from([*DEVICES, "toaster", None])), max_size=20))
def test_many_rows_are_the_single_rows(asked):
    seconds = [int(moment.timestamp() // 1) for moment, _, _ in asked]
    rows = context_rows(seconds, [surface for _, surface, _ in asked], [device for _, _, device in asked])
    assert rows.shape == (len(asked), 5)
    assert rows.dtype == np.int32
    assert rows.tolist() == [context_row(*one).tolist() for one in asked]


def test_unknown_names_are_zero():
    assert context_row(datetime(2025, 1, 1, tzinfo=UTC), "moon", None).tolist()[3:] == [0, 0]


def test_other_zones_are_converted():
    east = datetime(2025, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert context_row(east, "home", "app").tolist()[:3] == [22, 1, 12]


def test_a_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        context_row(datetime(2025, 1, 1), "home", "app")  # noqa: DTZ001
