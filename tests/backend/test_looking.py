"""What looks now and then goes on looking, whatever one look meets."""

from __future__ import annotations

import asyncio

from kitchen_watch.backend.looking import Looking


async def test_a_look_that_fails_is_not_the_last_one() -> None:
    looks: list[int] = []
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        looks.append(1)
        if len(looks) < 3:
            raise OverflowError("date value out of range")
        loop.call_soon_threadsafe(enough.set)

    looking = Looking("oddities", look, every_s=0.001)
    running = asyncio.create_task(looking.run())
    async with asyncio.timeout(10):
        await enough.wait()
    looking.stop()
    await running
    assert len(looks) >= 3
