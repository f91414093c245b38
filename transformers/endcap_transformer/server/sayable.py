"""Text that UTF-8 can say: JSON can hold half a character, UTF-8 cannot."""


def sayable(text: str) -> str:
    """The text with a question mark for each half of a character."""
    return text.encode(errors="replace").decode()
