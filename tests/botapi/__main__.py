"""``python -m tests.botapi [--port N]``: runs the server until it is ended.

The first line that it prints is JSON: ``{"url": ..., "token": ...}``. What people do is posted
to ``/control/text`` and the like, with the arguments as a JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress

from tests.botapi.server import BotApiServer


async def _serve(port: int) -> None:
    async with BotApiServer(port=port) as server:
        print(json.dumps({"url": server.url, "token": server.token}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.botapi", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free port")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args().port))


main()
