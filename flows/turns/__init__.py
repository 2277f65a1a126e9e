"""What a step is given, what it may do, and what is remembered of its run."""
