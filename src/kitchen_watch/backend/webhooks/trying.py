"""Try a receiver at once, so that whoever connects it sees what it answers."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from kitchen_watch.backend.audit.service import Actor
from kitchen_watch.backend.notifications.channels import couriers_of
from kitchen_watch.backend.parts import Parts
from kitchen_watch.backend.webhooks.changing import Trial, begin_trial
from kitchen_watch.backend.webhooks.schemas import ReceiverTried


async def try_receiver(parts: Parts, receiver_id: int, by: Actor) -> ReceiverTried:
    """Send one test message outside of the queue; a failure is told, not raised.

    Raises:
        NotFound: there is no such receiver.
    """
    trial = await run_in_threadpool(_begin, parts, receiver_id, by)
    began = parts.clock.monotonic()
    outcome = await couriers_of(parts.settings)[trial.channel].send(trial.message)
    return ReceiverTried(
        message_id=trial.message.message_id,
        delivered=outcome.delivered,
        status=outcome.status,
        problem=outcome.problem.replace("\0", "")[:500],
        duration_ms=int((parts.clock.monotonic() - began) * 1000),
    )


def _begin(parts: Parts, receiver_id: int, by: Actor) -> Trial:
    with parts.database.write() as session:
        return begin_trial(session, receiver_id, vault=parts.vault, by=by, now=parts.clock.now())
