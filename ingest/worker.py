"""The process that ingest/sandbox.py reads files in: a line of JSON in, lines of JSON out.

Started with the bytes of memory that it may take. In: {"path", "source", "member"}. Out: {"ready"}
once; then per file {"seconds"} as often as its time changes, and last {"pages": [[number, text], …],
"left_out": […]}, {"error"} or {"memory"}.
"""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO

from ingest.apart import limit, own_output
from ingest.errors import NotesError
from ingest.job import Job
from ingest.read import reading


def main() -> None:
    """Answers requests until there are no more."""
    from pathlib import Path

    out = own_output()
    limit(int(sys.argv[1]))
    _send(out, {"ready": True})
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        job = Job(lambda seconds: _send(out, {"seconds": seconds}), alarms=True)
        try:
            found = reading(Path(asked["path"]), asked["source"], asked["member"], job)
            pages = [[page.number, page.text] for page in found.pages]
            _send(out, {"pages": pages, "left_out": found.left_out})
        except NotesError as err:
            _send(out, {"error": str(err)})
        except MemoryError:
            _send(out, {"memory": True})


def _send(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode("ascii") + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
