"""Steps: an instance runs its handlers and takes their decisions, until it rests."""
