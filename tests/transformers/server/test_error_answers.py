from hypothesis import given
from hypothesis import strategies as st

from endcap_transformer.server.error_answers import printable


@given(st.text(st.characters(codec="utf-8")))
def test_what_utf_8_can_say_stays(text: str) -> None:
    assert printable(text) == text


def test_half_a_character_becomes_a_question_mark() -> None:
    assert printable("Ä\ud800😀") == "Ä?😀"
