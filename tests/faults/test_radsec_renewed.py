"""RADIUS over TLS by the processes its users run: renewed, and one of them killed."""

import os
import signal
import socket

from demarc.protocols.radius.packet import Code
from support.authority import Authority, client_context
from support.eventually import eventually
from support.radsec_nas import RadsecNas
from support.running import kill


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def test_a_nas_over_tls_is_served_again_after_a_renewal_and_after_a_kill(installed, tmp_path):
    authority = Authority(tmp_path)
    ours = authority.issue("demarc", names=("radius.example",))
    context = client_context(authority.issue("bng", names=("bng.example",)), authority.file)
    port = _free_port()
    demarc = installed(
        radsec_port=port, radsec_cert=ours.cert, radsec_key=ours.key, radsec_ca=ours.ca
    )
    await demarc.start()
    await demarc.rows("UPDATE nas SET certificate = 'bng.example' RETURNING 1")
    line = demarc.estate.lines[0]
    connections = []

    async def accepted():
        """A NAS connects again when its connection was closed, and asks again."""
        try:
            nas = await RadsecNas.connect(("127.0.0.1", port), context)
            connections.append(nas)
            reply = await nas.login(line.username, line.password, **{"Calling-Station-Id": "AA"})
        except (ConnectionError, TimeoutError):
            return False
        return reply.code == Code.ACCESS_ACCEPT

    try:
        await eventually(accepted, within=40)
        first = demarc.pid("radius")
        # as after a change of the certificate, or of anything else
        os.kill(demarc.process.pid, signal.SIGHUP)
        await connections[-1].closed()
        second = await demarc.successor("radius", of=first)
        await eventually(accepted, within=40)
        await kill(second)
        await demarc.successor("radius", of=second)
        await eventually(accepted, within=40)
    finally:
        for nas in connections:
            await nas.close()
    assert await demarc.end() == 0, demarc.log_text()
