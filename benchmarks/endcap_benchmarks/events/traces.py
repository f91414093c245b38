"""What a run leaves in a home that is used again: the log, and all that was made of it."""

import shutil

from endcap.core.settings import Settings


def forget_events(settings: Settings) -> None:
    """Remove it, so that each run begins with nothing, and the serving benchmark's catalogue is as it was made.

    Args:
        settings: with the home that is meant.
    """
    for folder in (
        *(settings.event_log_dir, settings.catalogue_log_dir, settings.dead_letter_dir),
        *(settings.stream_dir, settings.outcomes_dir, settings.live_dir),
    ):
        shutil.rmtree(folder, ignore_errors=True)
