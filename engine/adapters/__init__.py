"""Handrail inside a bot of another library, which receives and sends: see docs/adapters.md.

``engine.adapters.aiogram`` is for aiogram 3, ``engine.adapters.python_telegram_bot`` for
python-telegram-bot 22. Each needs its library, which ``pip install handrail[aiogram]`` or
``handrail[python-telegram-bot]`` brings.
"""
