"""A Bot API server on loopback that behaves like the real one, and judges of what it is asked
and of what it serves.

In an asyncio test::

    async with BotApiServer() as server:
        server.text(1001, "hello")
        ...                                     # run a channel against server.url, server.token
        await server.until(lambda: server.replies(1001))

In a test without a loop (of a subprocess, say)::

    with background_server() as control:
        control.post("text", user=1001, text="hello")
        control.post("until", chat=1001, count=1)

``python -m tests.botapi`` runs it by itself. Leaving either block fails when a judge refused
a request, or what was served; ``take_refused`` takes refusals that a test meant to provoke.
"""

from tests.botapi.background import background_server
from tests.botapi.control import Control
from tests.botapi.judges import judge
from tests.botapi.server import BotApiServer
from tests.botapi.world import Event, Fault, Recorded

__all__ = ["BotApiServer", "Control", "Event", "Fault", "Recorded", "background_server", "judge"]
