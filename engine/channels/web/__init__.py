"""A chat page of the bot's own, in any browser."""

from engine.channels.web.channel import WebChannel
from engine.channels.web.limits import WebLimits
from engine.channels.web.people import WebPerson

__all__ = ["WebChannel", "WebLimits", "WebPerson"]
