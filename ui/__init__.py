"""The doors: what a reader or another program meets. Whatever is imported here, offline comes first."""

from ui import offline  # noqa: F401
