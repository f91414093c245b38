from hypothesis import given
from hypothesis import strategies as st

from endcap.training.workers import shares


@given(sizes=st.lists(st.integers(0, 50), max_size=20), count=st.integers(1, 5))
def test_shares_are_a_partition_nearly_equal_in_size(sizes: list[int], count: int) -> None:
    shards = list(range(len(sizes)))
    divided = shares(shards, sizes, count)
    assert len(divided) == count
    assert sorted(shard for share in divided for shard in share) == shards
    assert all(share == sorted(share) for share in divided)
    held = [sum(sizes[shard] for shard in share) for share in divided]
    assert max(held) - min(held) <= max(sizes, default=0)
