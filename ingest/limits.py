"""How much one file may ask of the machine: what exceeds it is left out and said so.

What is not here: how the limits are held (ingest/read.py, ingest/archive.py, ingest/sandbox.py).
"""

from __future__ import annotations

SECONDS = 20.0  # to read one file
PAGE_SECONDS = 0.1  # more for each page of a PDF
PAGE_MOST_SECONDS = 8.0  # for one page of a PDF: a map may hold a million lines
OCR_SECONDS = 20.0  # more for each scanned page, and the most that text recognition of one may take
MOST_SECONDS = 900.0  # however many pages there are
SPARE_SECONDS = 4.0  # kept to hand over what was read before the time is up

BUSY = 9.0  # times the seconds allowed that reading may take where other programs have the processor

MEMORY = 2 << 30  # bytes of address space of the process that reads
FILE_BYTES = 300 << 20  # of a PDF, deck, document, book, notebook or archive
TEXT_BYTES = 20 << 20  # of a text, table or page of HTML: about 3 million words
CHARACTERS = 20_000_000  # of text read from one file
PAGES = 5_000  # of one PDF; what follows is left out
OCR_PAGES = 300  # of one PDF that are put through text recognition

ZIP_MEMBERS = 10_000
ZIP_BYTES = 1 << 30  # all members of an archive, unpacked
ZIP_RATIO = 200  # a member that unpacks to more than so many times its size is a bomb,
ZIP_HARMLESS = 10 << 20  # unless it unpacks to less than this
