"""Bots that show how Handrail is used; each is a package with a README and a transcript."""
