"""eapol_test, wpa_supplicant's own way to be supplicant and NAS in one."""

import asyncio
import shutil
from pathlib import Path

import msgspec

MISSING = shutil.which("eapol_test") is None
WHY = "eapol_test is not installed (Debian: eapoltest)"


class Result(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        succeeded: it was accepted, and the keys on both sides are the same where there are some.
        printed: all it said.
    """

    succeeded: bool
    printed: str


async def run(
    address: tuple[str, int], secret: str, folder: Path, network: str, *options: str
) -> Result:
    """Authenticate once, as a network block of wpa_supplicant.conf says.

    Args:
        address: of the RADIUS server.
        secret: shared with it.
        folder: where the configuration is written.
        network: the lines of the block, without key_mgmt.
        options: of the command line, besides.
    """
    configuration = folder / "eapol.conf"
    lines = "\n".join(f"    {line.strip()}" for line in network.strip().splitlines())
    configuration.write_text(
        f"network={{\n    key_mgmt=IEEE8021X\n    eapol_flags=0\n{lines}\n}}\n"
    )
    process = await asyncio.create_subprocess_exec(
        "eapol_test",
        *("-c", str(configuration), "-a", address[0], "-p", str(address[1]), "-s", secret),
        *("-t", "10", "-M", "02:00:00:00:00:07", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return Result(process.returncode == 0, output.decode(errors="replace"))
