"""``handrail`` with a lease of three seconds in place of fifteen, for tests that await its end."""

from __future__ import annotations

import engine.workers.partitions

engine.workers.partitions.LEASE_TTL = 3_000
engine.workers.partitions.MARGIN = 1.5

import engine.workers.sharing  # noqa: E402 - what is derived from the lease is derived at import

engine.workers.sharing.RENEWAL = 1.0
engine.workers.sharing.SOON = 0.2
engine.workers.sharing.UNSETTLED = 4.0
engine.workers.sharing.MODEST = 0.4
engine.workers.sharing.SETTLE = 1.0

from engine.cli import main  # noqa: E402 - as above

main()
