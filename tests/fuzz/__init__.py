"""Fuzz targets: what comes from outside, as functions of bytes that must hold for all bytes.

``make test`` lets hypothesis draw the bytes, ``make fuzz`` lets libFuzzer look for them, guided by
which code they reach.
"""
