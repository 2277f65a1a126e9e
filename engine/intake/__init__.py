"""Accepting: what comes in becomes durable, and waits for its turn."""
