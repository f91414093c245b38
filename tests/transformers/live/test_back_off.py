"""What failed is tried again less and less often."""

from endcap_transformer.live.back_off import BackOff


def turns_until_due(back_off: BackOff, tried: str) -> int:
    """How many turns pass before the next try."""
    return next(turn for turn in range(1_000) if back_off.is_due(tried))


def test_more_turns_pass_after_each_failure_but_never_more_than_the_most() -> None:
    back_off = BackOff(most=5)
    assert turns_until_due(back_off, "a") == 0
    passed = []
    for number in range(1, 5):
        assert back_off.failed("a") == number
        passed.append(turns_until_due(back_off, "a"))
    assert passed == [1, 3, 5, 5]


def test_another_thing_is_due_at_once_and_counts_from_one() -> None:
    back_off = BackOff(most=5)
    back_off.failed("a")
    back_off.failed("a")
    assert back_off.is_due("b")
    assert back_off.failed("b") == 1


def test_after_a_success_nothing_is_held_against_it() -> None:
    back_off = BackOff(most=5)
    back_off.failed("a")
    back_off.succeeded()
    assert back_off.is_due("a")
    assert back_off.failed("a") == 1
