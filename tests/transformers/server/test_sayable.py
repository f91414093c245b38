from hypothesis import given
from hypothesis import strategies as st

from endcap_transformer.server.sayable import sayable


@given(st.text(st.characters(codec="utf-8")))
def test_what_utf_8_can_say_stays(text: str) -> None:
    assert sayable(text) == text


def test_half_a_character_becomes_a_question_mark() -> None:
    assert sayable("Ä\ud800😀") == "Ä?😀"
