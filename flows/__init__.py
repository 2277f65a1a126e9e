"""What a conversation is: flows, steps, inputs, and the ports that an engine runs them through."""
