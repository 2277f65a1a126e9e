"""The documentation site: what MkDocs is told besides the pages of ``docs/``."""
