import zlib

from endcap_benchmarks.events.scenarios.hostile import MIB, packed_zeros


def test_zeros_are_a_gzip_of_next_to_nothing() -> None:
    packed = packed_zeros(3)
    assert len(packed) < 5_000
    assert zlib.decompress(packed, 16 + zlib.MAX_WBITS) == bytes(3 * MIB)
