"""The people: each sends numbers, a few ahead of what was answered, and keeps what arrives."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.crash.model import Said, falls_asleep, transcript

AHEAD = 3
"""How many messages a person sends before the first of them is answered."""


@dataclass(slots=True)
class Person:
    """Sends ``/start`` and the numbers up to ``count``.

    Attributes:
        sent: the number that was sent last; -1: nothing yet.
        arrived: every text that has arrived, once each, in the order of the first arrivals.
    """

    user: int
    count: int
    sent: int = -1
    arrived: dict[str, None] = field(default_factory=dict)
    _script: list[Said] = field(init=False)
    _place: int = 0

    def __post_init__(self) -> None:
        self._script = transcript(self.count)

    @property
    def expected(self) -> list[str]:
        """The texts that have to arrive for what was sent."""
        return [said.text for said in self._script if said.number <= self.sent]

    @property
    def answered(self) -> int:
        """The last number of which all answers have arrived, and all before it; -1: none."""
        here = self._script[self._place].number if self._place < len(self._script) else None
        return self.count if here is None else here - 1

    @property
    def done(self) -> bool:
        """Everything was sent and answered."""
        return self._place == len(self._script)

    def arrives(self, text: str) -> bool:
        """A message arrives; answers whether it is the first time."""
        if text in self.arrived:
            return False
        self.arrived[text] = None
        while not self.done and self._script[self._place].text in self.arrived:
            self._place += 1
        return True

    def sends(self) -> list[str]:
        """The messages that are sent now."""
        said: list[str] = []
        while self._may_send():
            self.sent += 1
            said.append(str(self.sent) if self.sent else "/start")
        return said

    def _may_send(self) -> bool:
        if self.sent == self.count:
            return False
        if self.sent < 1 or falls_asleep(self.sent):
            return self.answered >= self.sent
        return self.sent - self.answered < AHEAD
