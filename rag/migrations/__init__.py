"""Alembic's migrations: how a database came to be as rag/database.py says it is, step by step.

They run when a database is opened, all in one transaction (rag/migrate.py). A step more is a file in
versions/ with the next number, that number in HEAD, and the same in the tables of the metadata; a test
compares the two. A step, once released, is never changed.
"""

HEAD = 3  # the number of the newest step; its revision is this with four digits
