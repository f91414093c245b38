from pathlib import Path

from endcap_benchmarks.record import _lines


def test_a_system_without_the_file_says_nothing_of_its_hardware(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("model name: made\nflags: avx2\n")
    assert _lines(str(tmp_path / "cpuinfo")) == ["model name: made", "flags: avx2"]
    assert _lines(str(tmp_path / "none")) == []
