from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.moment import require_utc


@given(st.datetimes(timezones=st.just(UTC)))
def test_utc_passes_unchanged(moment: datetime) -> None:
    assert require_utc(moment) == moment


@given(st.datetimes())
def test_naive_times_are_refused(moment: datetime) -> None:
    with pytest.raises(ValueError, match="has no zone"):
        require_utc(moment)


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60).filter(bool))
def test_other_offsets_are_refused(moment: datetime, offset_minutes: int) -> None:
    with pytest.raises(ValueError, match="not in UTC"):
        require_utc(moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes))))
