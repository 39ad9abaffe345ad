"""The RADIUS process is killed while NASes account: what it acknowledged counts, and counts once."""

import os
import signal

from support.running import kill
from support.witness import check_book


async def test_what_was_acknowledged_counts_once_though_the_process_is_killed(running, crowd):
    subscribers = await crowd(running)
    await subscribers.log_in(running.estate.lines[:40])
    sessions = list(subscribers.sessions.values())
    held, sudden, talking = sessions[:13], sessions[13:26], sessions[26:]

    # killed with a batch in its hands that cannot be written: a part of the NAS has said its last
    first = running.pid("radius")
    async with running.holding("session_live"):
        await subscribers.unanswered(held)
        await kill(first)
        subscribers.fall_silent(held)
    second = await running.successor("radius", of=first)
    await subscribers.acknowledged(3, sudden + talking)
    await check_book(running.conninfo(), subscribers.witness)

    # and killed at whatever it is doing, with another part's last words just acknowledged
    os.kill(second, signal.SIGKILL)
    subscribers.fall_silent(sudden)
    await running.successor("radius", of=second)
    await subscribers.acknowledged(3, talking)
    await subscribers.hang_up(talking)
    written = await check_book(running.conninfo(), subscribers.witness, whole=talking)
    assert written.live == len(held + sudden)
    assert subscribers.witness.traffic.retransmitted > 0
