"""Every error a user can cause. The text of each is one line fit to show: what went wrong, what to do."""

from __future__ import annotations


class UnitutorError(Exception):
    """The root: doors catch this and nothing wider."""


class NotesError(UnitutorError):
    """A folder or file of notes that cannot be read."""


class IndexUnusable(UnitutorError):
    """An index that is missing, half-written, or made with other settings."""


class ModelUnusable(UnitutorError):
    """An encoder or language model that is missing, damaged, or failed while answering."""


class BadRequest(UnitutorError):
    """A question or setting outside what is allowed."""
