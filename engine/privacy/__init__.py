"""What people confide: kept from the log, and never kept unencrypted."""
