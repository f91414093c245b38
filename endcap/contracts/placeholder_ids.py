"""Ids that stand for none: what programs write where they know no id."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

NO_VALUE_WORDS = frozenset({"", "undefined", "null", "none", "nil", "nan", "[object object]"})
"""What JavaScript, Python and SQL make of a value that is not there."""

NO_PERSON_WORDS = frozenset({"guest", "anonymous", "anon", "unknown", "(not set)", "not set", "n/a", "-"})
"""What shops and tag managers write for a visitor whom they do not know."""

ZEROS = re.compile(r"[{]?0[0-]*[}]?")
"""`0`, `000` and the UUID of zeros."""

LONGEST_PLACEHOLDER = 64
"""Of what can be one of these; a longer text costs no look."""


def is_no_item(text: str) -> bool:
    """Whether an item's id stands for none; zeros do not, since catalogues number from 0."""
    return len(text) <= LONGEST_PLACEHOLDER and text.strip().lower() in NO_VALUE_WORDS


def is_no_person(text: str) -> bool:
    """Whether the id of a user, a visit, an order or an event stands for none."""
    if len(text) > LONGEST_PLACEHOLDER:
        return False
    word = text.strip().lower()
    return word in NO_VALUE_WORDS or word in NO_PERSON_WORDS or ZEROS.fullmatch(word) is not None


def _person_or_none(value: Any) -> Any:
    return None if isinstance(value, str) and is_no_person(value) else value


def _item_or_none(value: Any) -> Any:
    return None if isinstance(value, str) and is_no_item(value) else value


def _known(value: Any) -> Any:
    if isinstance(value, str) and is_no_person(value):
        raise ValueError("this stands for no id; send the id itself")
    return value


NullablePersonId = Annotated[str | None, BeforeValidator(_person_or_none)]
"""An id that may be left out; one that stands for none is none."""

NullableItemId = Annotated[str | None, BeforeValidator(_item_or_none)]

KnownId = Annotated[str, BeforeValidator(_known)]
"""An id that an event cannot do without; one that stands for none is refused."""
