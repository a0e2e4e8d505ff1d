"""Reading in a process of its own: what crashes, hangs or eats memory there is one file that is left out.

One worker (ingest/worker.py) serves all files of a build, one after the other, and is started anew
after a file that broke it. What passes between is a line of JSON each way, never a pickle.
What is not here: what the worker does with a file (ingest/read.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from ingest import limits
from ingest.errors import NotesError
from ingest.read import PLAIN, Reading, reading
from ingest.types import Page

START_SECONDS = 60.0  # for the worker to start, on a machine busy with other things
FILES = 500  # read by one worker: what a parser's library leaks ends with it
ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    """Reads files in a worker process; a context manager, for one thread at a time.

    The worker starts with the first file that needs one. Markdown and plain text are read here:
    there is no parser in them that could break.
    """

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._read = 0  # files, by this worker

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, path: Path, source: str, member: str = "") -> Reading:
        """What ingest.read.reading() gives; raises NotesError, one line that begins with `source`."""
        if PurePosixPath(source).suffix.lower() in PLAIN and not member:
            return reading(path, source)
        if self._read >= FILES or (self._worker is not None and self._worker.poll() is not None):
            self.close()
        fresh = self._worker is None
        answer = self._ask(path, source, member)
        if "memory" in answer and not fresh:
            answer = self._ask(path, source, member)  # what earlier files left behind is no fault of this
        if "error" in answer:
            raise NotesError(answer["error"])
        if "memory" in answer:
            most = f"{limits.MEMORY >> 30} GB"
            raise NotesError(f"{source}: takes more than {most} of memory to read: split it, or leave it out")
        pages = tuple(Page(source, number, text) for number, text in answer["pages"])
        return Reading(pages, tuple(answer["left_out"]))

    def close(self) -> None:
        """Ends the worker and what it started. The next file would start another."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(worker.pid, signal.SIGKILL)  # with the programs that it runs
            else:
                worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ask(self, path: Path, source: str, member: str) -> dict[str, Any]:
        """The worker's answer, or the error that its end or its silence means."""
        worker = self._started(source)
        request = {"path": str(path.absolute()), "source": source, "member": member}
        began, allowed, used = time.monotonic(), limits.SECONDS, _processor(worker.pid)[0]
        self._read += 1
        try:
            assert worker.stdin is not None
            worker.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            worker.stdin.flush()
            while True:
                line = self._patient(worker, began, used, allowed)
                answer: dict[str, Any] = json.loads(line) if line else {}
                if "seconds" not in answer:
                    break
                allowed = min(float(answer["seconds"]), limits.MOST_SECONDS)
        except TimeoutError:
            self.close()
            return {
                "error": f"{source}: not read within {allowed:.0f} seconds: save it again, or leave it out"
            }
        except (OSError, ValueError):  # its end may show in the pipe first
            answer = {}
        except BaseException:
            self.close()  # interrupted: its answer would be taken for that to another file
            raise
        if "memory" in answer:
            self.close()
        elif "pages" not in answer and "error" not in answer:
            self.close()
            answer = {
                "error": f"{source}: damaged so that its reader crashed: save it again, or leave it out"
            }
        return answer

    def _started(self, source: str) -> subprocess.Popen[bytes]:
        if self._worker is not None:
            return self._worker
        # -P: a file of the student's named like a module of Python's must not be run as one.
        command = [sys.executable, "-P", "-m", "ingest.worker", str(limits.MEMORY)]
        places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_THREAD_LIMIT": "1"}
        try:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us to handle
            )
        except OSError as err:
            raise NotesError(
                f"{source}: no process to read it in ({err.strerror}): free some memory"
            ) from err
        self._worker, self._lines, self._read = worker, queue.SimpleQueue(), 0
        threading.Thread(target=_follow, args=(worker, self._lines), daemon=True).start()
        try:
            ready = self._next(START_SECONDS)
        except TimeoutError:
            ready = None
        except BaseException:
            self.close()
            raise
        if not ready:
            self.close()
            raise NotesError(f"{source}: the process to read it in does not start: install Unitutor again")
        return worker

    def _next(self, seconds: float) -> bytes | None:
        """The worker's next line, None at its end; raises TimeoutError."""
        try:
            return self._lines.get(timeout=max(0.0, seconds))
        except queue.Empty as err:
            raise TimeoutError from err

    def _patient(
        self, worker: subprocess.Popen[bytes], began: float, used: float, allowed: float
    ) -> bytes | None:
        """The worker's next line within `allowed` seconds since `began`; raises TimeoutError.

        A machine that is busy with other things must not cost a file: a worker that would run, if
        it were let, has so many seconds of the processor's time since `used`.
        """
        last = used
        while True:
            spent = time.monotonic() - began
            try:
                return self._next(max(1.0, allowed - spent))
            except TimeoutError:
                total, wants = _processor(worker.pid)
                starved = (wants or total > last) and total - used < allowed
                if not starved or time.monotonic() - began > limits.BUSY * allowed:
                    raise
                last = total


def _follow(worker: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    assert worker.stdout is not None
    with contextlib.suppress(OSError, ValueError):  # closed by us
        for line in worker.stdout:
            lines.put(line)
    lines.put(None)


def _processor(process: int) -> tuple[float, bool]:
    """Seconds of the processor's time that a process has had, and whether it wants more now.

    (0, False) where that cannot be told: only Linux says so in a file.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == "R"
    except (OSError, ValueError, IndexError):
        return 0.0, False
