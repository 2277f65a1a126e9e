"""Committing: what turns have changed, as rows, in one transaction."""
