"""Handlers without a flow, which become one where they ask."""
