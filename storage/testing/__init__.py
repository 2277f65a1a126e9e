"""The contract of ``flows.ports.FlowStorage`` as tests, for every backend, also yours.

A backend passes when a class like this one passes:

    from storage.testing import StorageContract

    class TestMine(StorageContract):
        @pytest.fixture
        async def backend(self) -> AsyncIterator[Backend]:
            backend = MyBackend()
            yield backend
            await backend.close()

``Backend`` says what the suite asks of the fixture. The tests are ``anyio`` tests on asyncio.
``Wire`` breaks the line to a server for those tests that want it broken, and
``storage.testing.beside`` compares a storage with the one in memory, call by call.
"""

from __future__ import annotations

from storage.testing.accepting import AcceptContract
from storage.testing.auditing import AuditContract
from storage.testing.backend import Ability, Backend, ManualClock
from storage.testing.cancelling import CancelContract
from storage.testing.committing import CommitContract
from storage.testing.delivering import OutboxContract
from storage.testing.erasing import EraseContract
from storage.testing.leasing import LeaseContract
from storage.testing.listing import ListingContract
from storage.testing.pending import PendingContract
from storage.testing.racing import RaceContract
from storage.testing.reaching import ReachContract
from storage.testing.recoding import RecodeContract
from storage.testing.recording import RecordContract
from storage.testing.refusing import RefusalContract
from storage.testing.roundtrip import RoundTripContract
from storage.testing.sharing import ShareContract
from storage.testing.sweeping import SweepContract
from storage.testing.timing import TimerContract
from storage.testing.waking import WakeContract
from storage.testing.wire import Wire

__all__ = ["Ability", "Backend", "ManualClock", "StorageContract", "Wire"]


class StorageContract(
    AcceptContract,
    CommitContract,
    RefusalContract,
    CancelContract,
    LeaseContract,
    ShareContract,
    PendingContract,
    TimerContract,
    OutboxContract,
    SweepContract,
    EraseContract,
    ListingContract,
    AuditContract,
    RaceContract,
    ReachContract,
    RecodeContract,
    RecordContract,
    RoundTripContract,
    WakeContract,
):
    """All of it."""
