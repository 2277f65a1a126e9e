"""Databases on a server: PostgreSQL, MySQL and MariaDB."""
