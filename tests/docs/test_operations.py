from tests.docs.page import blocks


def test_every_command_of_the_operations_guide_is_run_or_says_why_not() -> None:
    commands = [block for block in blocks("operations.md") if block.language == "console"]
    assert len(commands) >= 9
    assert not [block.text for block in commands if block.kind not in ("run", "shown")]
    assert all(block.name for block in commands if block.kind == "shown")
