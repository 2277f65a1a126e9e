"""Encryption of what people have said, in front of any storage.

Nothing is imported here: who has no key need not wait for the library.
"""
