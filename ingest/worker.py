"""The process that ingest/sandbox.py reads files in: a line of JSON in, lines of JSON out.

Started with the bytes of memory that it may take. In: {"path", "source", "member"}. Out: {"ready"}
once; then per file {"seconds"} as often as its time changes, and last {"pages": [[number, text], …],
"left_out": […]}, {"error"} or {"memory"}.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, BinaryIO

from ingest.errors import NotesError
from ingest.job import Job
from ingest.read import reading


def main() -> None:
    """Answers requests until there are no more."""
    from pathlib import Path

    out = _own_output()
    _limit_memory(int(sys.argv[1]))
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


def _own_output() -> BinaryIO:
    """Our end of the pipe; whatever a parser prints goes nowhere."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return out


def _limit_memory(most_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    for kind, most in ((resource.RLIMIT_AS, most_bytes), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (OSError, ValueError):  # macOS does not limit address space
            continue


def _send(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode("ascii") + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
