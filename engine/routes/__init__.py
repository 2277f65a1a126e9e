"""Routing: who gets an update, which question an answer is for, what a button says."""
