"""Broadcasts: one message for many people, within the limits of the service.

A broadcast is a conversation of its own, which nobody but the engine takes part in: what is to be
done about it are rows in the inbox, done one by one by the worker that holds its partition, each
in a transaction. So it is as durable, and as much done once, as a conversation is, on every
storage.
"""
