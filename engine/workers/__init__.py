"""Workers: processes that share the work of a database."""
