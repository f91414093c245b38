"""CPU time of a coroutine's own steps, by a clock that the test turns."""

import asyncio

import pytest

from endcap_transformer.telemetry.own_cpu import Metered


class Cpu:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_steps_count_and_waiting_does_not() -> None:
    cpu, spent = Cpu(), []

    async def other() -> None:
        cpu.now += 100

    async def work() -> str:
        cpu.now += 1
        await asyncio.sleep(0)
        cpu.now += 2
        return "done"

    async def both() -> str:
        made, _ = await asyncio.gather(measured(), other())
        return made

    async def measured() -> str:
        return await Metered(work(), spent.append, cpu)

    assert asyncio.run(both()) == "done"
    assert spent == [3.0]


def test_failure_and_cancellation_pass_through_and_count() -> None:
    cpu, spent = Cpu(), []

    async def fails() -> None:
        cpu.now += 1
        raise ValueError("no")

    async def hangs() -> None:
        cpu.now += 2
        await asyncio.sleep(60)

    async def scenario() -> None:
        with pytest.raises(ValueError, match="no"):
            await Metered(fails(), spent.append, cpu)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await Metered(hangs(), spent.append, cpu)

    asyncio.run(scenario())
    assert spent == [1.0, 2.0]
