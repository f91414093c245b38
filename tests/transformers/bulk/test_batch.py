import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_transformer.bulk.batch import Batch, GatheredCalls
from tests.properties import examples


async def at_once() -> None:
    await asyncio.sleep(0)


class Doubling:
    """Answers each number with its double, and keeps what came together; a kind fails as a whole."""

    def __init__(self, fails_on: int | None = None) -> None:
        self.together: list[list[int]] = []
        self.fails_on = fails_on

    async def __call__(self, _kind: str, numbers: Sequence[int]) -> Sequence[int]:
        self.together.append(list(numbers))
        await asyncio.sleep(0)
        if self.fails_on in numbers:
            raise ValueError(f"not {self.fails_on}")
        return [2 * number for number in numbers]


@examples(50)
@given(pauses=st.lists(st.integers(0, 4), min_size=1, max_size=8), rounds=st.integers(1, 3))
def test_calls_of_all_lists_go_out_as_one_however_long_each_takes_to_make_its_own(pauses: list[int], rounds: int) -> None:
    doubling = Doubling()

    async def run() -> list[int]:
        batch = Batch(at_once)
        calls = GatheredCalls(batch, doubling)

        async def one(number: int, pause: int) -> int:
            for _ in range(rounds):
                for _ in range(pause):
                    await asyncio.sleep(0)
                number = await calls.ask("kind", number)
            return number

        return await batch.run([one(number, pause) for number, pause in enumerate(pauses)])

    assert asyncio.run(run()) == [number * 2**rounds for number in range(len(pauses))]
    assert [sorted(each) for each in doubling.together] == [[n * 2**done for n in range(len(pauses))] for done in range(rounds)]


def test_a_list_that_makes_no_call_holds_nobody_up() -> None:
    async def run() -> list[int]:
        batch = Batch(at_once)
        calls = GatheredCalls(batch, Doubling())

        async def one(number: int) -> int:
            return number if number == 1 else await calls.ask("kind", number)

        return await batch.run([one(number) for number in range(3)])

    assert asyncio.run(run()) == [0, 1, 4]


def test_only_lists_whose_kind_of_call_failed_hear_of_it() -> None:
    async def run() -> list[str]:
        batch = Batch(at_once)
        calls = GatheredCalls(batch, Doubling(fails_on=1))

        async def one(number: int) -> str:
            try:
                return str(await calls.ask("other" if number == 1 else "kind", number))
            except ValueError as error:
                return str(error)

        return await batch.run([one(number) for number in range(3)])

    assert asyncio.run(run()) == ["0", "not 1", "4"]


def test_a_deadline_reaches_the_call_that_waits_and_its_list_goes_on() -> None:
    async def never(_kind: str, _numbers: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(60)
        return []

    async def run() -> list[str]:
        batch = Batch(at_once)
        slow, quick = GatheredCalls(batch, never), GatheredCalls(batch, Doubling())

        async def one(number: int) -> str:
            try:
                async with asyncio.timeout(0.01):
                    await slow.ask("kind", number)
            except TimeoutError:
                return f"late {await quick.ask('kind', number)}"
            return "in time"

        return await batch.run([one(number) for number in range(3)])

    assert asyncio.run(run()) == ["late 0", "late 2", "late 4"]


def test_a_deadline_reaches_a_list_that_waits_for_its_turn() -> None:
    async def never() -> None:
        await asyncio.sleep(60)

    async def run() -> list[str]:
        turns = [at_once, never, at_once]

        async def turn() -> None:
            await turns.pop(0)()

        async def one() -> str:
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(0)
            except TimeoutError:
                return "late"
            return "in time"

        return await Batch(turn).run([one()])

    assert asyncio.run(run()) == ["late"]


def test_one_step_runs_a_turn() -> None:
    steps: list[str] = []

    async def run() -> None:
        lock = asyncio.Lock()

        async def turn() -> None:
            async with lock:
                await asyncio.sleep(0)
                steps.append("turn")

        async def one(name: str) -> None:
            steps.append(name)
            await asyncio.sleep(0)
            steps.append(name)

        await Batch(turn).run([one("a"), one("b")])

    asyncio.run(run())
    assert steps[::2] == ["turn"] * 4
    assert sorted(steps[1::2]) == ["a", "a", "b", "b"]


def test_an_error_ends_the_batch_and_leaves_no_task_behind() -> None:
    async def run() -> int:
        batch = Batch(at_once)
        calls = GatheredCalls(batch, Doubling())

        async def fails() -> int:
            raise LookupError("no such surface")

        with pytest.raises(LookupError):
            await batch.run([fails(), calls.ask("kind", 1)])
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1
