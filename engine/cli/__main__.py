"""``python -m engine.cli`` is ``handrail``."""

from engine.cli import main

main()
