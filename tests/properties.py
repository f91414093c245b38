"""On how many examples properties are tried: a quarter of them in every run, all in `make test-properties`."""

from typing import Any

from hypothesis import settings

EVERY_RUN, WHOLE = "every-run", "whole"
"""Profiles of hypothesis, to be chosen by `--hypothesis-profile`."""
WHOLE_EXAMPLES = 100
"""What hypothesis tries where a test says nothing, and what `examples` counts in."""
LEAST = 5


def register_profiles() -> None:
    """Make both profiles known, and take the smaller one; no example has a deadline, which other work on the machine would break."""
    settings.register_profile(WHOLE, max_examples=WHOLE_EXAMPLES, deadline=None)
    settings.register_profile(EVERY_RUN, max_examples=WHOLE_EXAMPLES // 4, deadline=None)
    settings.load_profile(EVERY_RUN)


def share_of(count: int, *, most_in_every_run: int | None = None) -> int:
    """How many of `count` examples the profile tries, a few at least.

    Args:
        count: in the whole.
        most_in_every_run: fewer than a quarter for those that take long.
    """
    tried = settings().max_examples
    if tried < WHOLE_EXAMPLES and most_in_every_run is not None:
        return most_in_every_run
    return max(min(count, LEAST), count * tried // WHOLE_EXAMPLES)


def examples(count: int, **others: Any) -> settings:
    """The settings of a property that is tried on `count` examples in the whole.

    Args:
        count: of examples.
        others: further settings of hypothesis.
    """
    return settings(max_examples=share_of(count), **others)
