"""Ids of what is no visit, no person and no item, in stores that hold these."""

ID_CHARACTERS_MAX = 128
"""Of ids in events and requests."""


def reserved_id(name: str) -> str:
    """An id that no caller can write or read, whatever it sends: it is longer than those of events and requests may be.

    Args:
        name: its beginning.
    """
    return name.ljust(ID_CHARACTERS_MAX + 1, "-")
