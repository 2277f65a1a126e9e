"""Definitions: writing a flow, checking it, and what it is compiled to."""
