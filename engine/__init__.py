"""How conversations run: turns, routing, delivery, channels, and the command line."""

import flows

if not hasattr(flows, "FlowBuilder"):
    raise ImportError(
        f"{flows.__file__} hides Handrail's package 'flows'. Rename that file: the names flows, "
        "engine and storage are reserved."
    )

from engine.app import App
from engine.operate import Operator
from engine.serving import Deployment, serve, serving
from engine.settings import Settings
from engine.turns.notices import Notices

__all__ = ["App", "Deployment", "Notices", "Operator", "Settings", "serve", "serving"]
