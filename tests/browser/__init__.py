"""The web chat in a real Chromium, against a real process of the bot."""
