"""The contract of ``flows.ports.FlowStorage`` as tests, for every backend, also yours.

A backend passes when a class like this one passes::

    from storage.testing import StorageContract

    class TestMine(StorageContract):
        @pytest.fixture
        async def backend(self) -> AsyncIterator[Backend]:
            backend = MyBackend()
            yield backend
            await backend.close()

``Backend`` says what the suite asks of the fixture. The tests are ``anyio`` tests on asyncio.
"""

from __future__ import annotations

from storage.testing.accepting import AcceptContract
from storage.testing.backend import Ability, Backend, ManualClock
from storage.testing.committing import CommitContract
from storage.testing.delivering import OutboxContract
from storage.testing.erasing import EraseContract
from storage.testing.leasing import LeaseContract
from storage.testing.listing import ListingContract
from storage.testing.pending import PendingContract
from storage.testing.roundtrip import RoundTripContract
from storage.testing.sweeping import SweepContract
from storage.testing.timing import TimerContract

__all__ = ["Ability", "Backend", "ManualClock", "StorageContract"]


class StorageContract(
    AcceptContract,
    CommitContract,
    LeaseContract,
    PendingContract,
    TimerContract,
    OutboxContract,
    SweepContract,
    EraseContract,
    ListingContract,
    RoundTripContract,
):
    """All of it."""
