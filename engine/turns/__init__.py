"""Turns: ticks of many, and each from its update to what is to be committed."""
