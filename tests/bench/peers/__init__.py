"""The same wizard in other libraries: ``make bench-peers``."""
