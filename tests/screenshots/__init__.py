"""``make screenshots``: the pictures of the documents, made from what the programs really show."""
