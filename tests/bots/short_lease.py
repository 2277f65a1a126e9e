"""``handrail`` with a lease of three seconds in place of fifteen, for tests that await its end."""

from __future__ import annotations

import engine.partitions

engine.partitions.LEASE_TTL = 3_000
engine.partitions.MARGIN = 1.5

import engine.sharing  # noqa: E402 - what is derived from the lease is derived at import

engine.sharing.RENEWAL = 1.0
engine.sharing.SOON = 0.2
engine.sharing.UNSETTLED = 4.0
engine.sharing.MODEST = 0.4
engine.sharing.SETTLE = 1.0

from engine.cli import main  # noqa: E402 - as above

main()
