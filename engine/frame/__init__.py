"""What stands around the flows and handlers of a bot in every turn."""
