"""``python -m demarc.lab``: the lab as a process, told what to simulate on its standard input."""

import asyncio

from demarc.lab.isp import main

if __name__ == "__main__":
    asyncio.run(main())
