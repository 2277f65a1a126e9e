"""State: what a conversation is in memory and as text, and the time that it has."""
