"""How fast whole turns are, as a part of what the disk could do: ``python -m tests.bench``."""
