"""What a handler without a flow is given, and how it waits."""
