from pathlib import Path

from endcap.core.settings import Settings
from endcap_benchmarks.events.traces import forget_events


def test_what_events_left_is_removed_and_what_was_made_before_stays(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    left = (settings.event_log_dir, settings.stream_dir, settings.outcomes_dir, settings.dead_letter_dir, settings.live_dir)
    for folder in (*left, settings.served_dir, settings.feast_dir):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    forget_events(settings)
    forget_events(settings)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([settings.served_dir.name, settings.feast_dir.name])
