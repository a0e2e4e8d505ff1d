"""Our engine beside llama.cpp on the same weights, the same questions and the same machine.

    python -m tests.bench.engine                                all but answer quality
    python -m tests.bench.engine --parts growth --sizes 200 500 --arms unitutor
    python -m tests.bench.engine --parts quality --quality 20   goes on where the last run ended

Parts: answers (prompt tokens, first word, whole answer, tokens/s, memory), bandwidth (decode against
the memory's limit), growth (first word by prompt length), students (first word for several at once),
quality (facts and refusals on data/eval). What was measured is kept in tests/bench/out/engine.json, so
that parts may be run one by one; the tables (engine.md) and the plot (engine.png) show all of it.
The peer is llama.cpp as pip installs it (xllamacpp), which is not compiled for this very processor.

A measurement waits until other programs leave the processors alone, and says if they did not: threads
that wait for one another by spinning, as llama.cpp's do, suffer most from company.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil

from tests.bench import engine_report
from tests.bench.arms import ARMS, Measured, Worker
from tests.bench.labelled import EVAL, OUT, facts_found, load, own

PARTS = ("answers", "bandwidth", "growth", "students", "quality")
SIZES = (200, 500, 1000, 2000, 3000)
STUDENTS = (1, 2, 4, 8)
BUSY = 0.15  # share of the processors that others may use when a measurement begins
SHORT = "Write the numbers from one to one hundred in words."


def main() -> None:
    options = arguments().parse_args()
    OUT.mkdir(exist_ok=True)
    kept = OUT / "engine.json"
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    with ExitStack() as stack:
        workers = {}
        slots = max(options.students) if options.parts == ["students"] else 1
        for arm in options.arms:
            workers[arm] = Worker(arm, options.index, slots, options.gguf)
            stack.callback(workers[arm].close)
        for part in options.parts:
            MEASURES[part](found, workers, options)
            found["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, {time.strftime('%F')}"
            kept.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")
            report(found)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS[:-1]))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--repeat", type=int, default=5, help="measurements of which the median is taken")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="prompt tokens of growth")
    parser.add_argument("--students", nargs="+", type=int, default=list(STUDENTS))
    parser.add_argument("--quality", type=int, default=20, help="how many questions of data/eval")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet machine")
    parser.add_argument("--gguf", type=Path, help="the joined model (default: joined anew)")
    return parser


def report(found: engine_report.Found) -> None:
    """Print the tables, write them and the plot."""
    text = engine_report.text(found)
    (OUT / "engine.md").write_text(text, "utf-8")
    engine_report.plot(found, OUT / "engine.png")
    print(f"\n{text}", flush=True)


def answers(found: dict[str, Any], workers: dict[str, Worker], options: argparse.Namespace) -> None:
    asked = []
    for question in questions(options.split, options.repeat):
        arms: dict[str, Any] = {}
        for arm, worker in workers.items():
            measured, others = undisturbed(options.patience, worker.call, "ask", question)
            arms[arm] = asdict(replace(measured, others=round(others, 3)))
            print(_line(arm, replace(measured, others=others), question), flush=True)
        asked.append({"question": question, "arms": arms})
    found["answers"] = asked
    found["memory"] = {arm: worker.call("memory") for arm, worker in workers.items()}


def questions(split: str, count: int) -> list[str]:
    """`count` different answerable questions, spread over the units, so that few share a passage."""
    every = [one.turns[-1] for one in load(EVAL / "answerable.jsonl", split)]
    count = min(count, len(every))
    return [every[place * len(every) // count] for place in range(count)]


def bandwidth(found: dict[str, Any], workers: dict[str, Worker], options: argparse.Namespace) -> None:
    arms: dict[str, Any] = {}
    for arm, worker in workers.items():
        if arm not in ("usual", "unread"):  # the same engines as the other two
            rates = [
                undisturbed(options.patience, worker.call, "grow", f"{n}. {SHORT}")[0][1]
                for n in range(options.repeat)
            ]
            arms[arm] = {"weights": worker.call("weights"), "rate": statistics.median(rates)}
    read, _ = undisturbed(options.patience, read_speed)
    found["bandwidth"] = {"read": read, "arms": {**found.get("bandwidth", {}).get("arms", {}), **arms}}


def read_speed(size: int = 2**31, rounds: int = 7) -> float:
    """Bytes a second at which all cores together read memory: the best of some sums over `size` bytes."""
    import torch

    values = torch.ones(size // 4)
    best = 0.0
    for _ in range(rounds):
        started = time.perf_counter()
        values.sum()
        best = max(best, size / (time.perf_counter() - started))
    return best


def growth(found: dict[str, Any], workers: dict[str, Worker], options: argparse.Namespace) -> None:
    kept = found.setdefault("growth", {})
    for size in options.sizes:
        for arm, worker in workers.items():
            if arm not in ("usual", "unread"):
                firsts = [
                    undisturbed(options.patience, worker.call, "grow", text_of(size, f"{size}.{n}"))[0][0]
                    for n in range(options.repeat)
                ]
                kept.setdefault(arm, {})[str(size)] = statistics.median(firsts)
                print(f"{arm:12} {size} tokens: {statistics.median(firsts):.2f} s", flush=True)


def text_of(size: int, mark: str) -> str:
    """Notes of `size` tokens, the chat template's about 30 among them; `mark` makes their start new."""
    from tokenizers import Tokenizer

    from rag.engines.prepare import prepare

    tokenizer = Tokenizer.from_file(str(prepare() / "tokenizer.json"))
    notes = " ".join(path.read_text("utf-8") for path in sorted(Path("data/notes").glob("*.md")))
    asked = " Summarise these notes at length."
    room = size - 30 - len(tokenizer.encode(mark + asked).ids)
    ids = tokenizer.encode(notes).ids
    return f"{mark} {tokenizer.decode((ids * (1 + room // len(ids)))[:room])}{asked}"


def students(found: dict[str, Any], workers: dict[str, Worker], options: argparse.Namespace) -> None:
    kept = found.setdefault("students", {})
    other = "test" if options.split == "dev" else "dev"  # not those that `answers` asks
    fresh = iter(questions(other, sum(options.students)))
    for count in options.students:
        asked = [next(fresh) for _ in range(count)]
        for arm, worker in workers.items():
            if arm != "usual":
                firsts, _ = undisturbed(options.patience, worker.call, "together", asked)
                kept.setdefault(arm, {})[str(count)] = firsts
                print(f"{arm:12} {count} students: {[round(first, 1) for first in firsts]}", flush=True)


def quality(found: dict[str, Any], workers: dict[str, Worker], options: argparse.Namespace) -> None:
    every = own(options.split)
    chosen = [every[place * len(every) // options.quality] for place in range(options.quality)]
    kept = found.setdefault("quality", {})
    for one in chosen:
        for arm, worker in workers.items():
            done = kept.setdefault(arm, [])
            if any(other["id"] == one.id for other in done):
                continue
            answer, refused = worker.call("answer", one.turns)
            right = 0 if refused else facts_found(one, answer)
            done.append({"id": one.id, "facts": len(one.facts), "found": right, "refused": refused})
            print(f"{arm:12} {one.id} {right}/{len(one.facts)} {'refused' if refused else ''}", flush=True)
            (OUT / "engine.json").write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")


MEASURES = {
    "answers": answers,
    "bandwidth": bandwidth,
    "growth": growth,
    "students": students,
    "quality": quality,
}


def undisturbed(patience: float, measure: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What `measure` gives, begun on a quiet machine if one is to be had, and the others' share meanwhile."""
    deadline = time.monotonic() + patience
    while _watched(time.sleep, 1)[1] > BUSY and time.monotonic() < deadline:
        pass
    return _watched(measure, *arguments)


def _watched(measure: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    before, ours, started = _busy(), _own(), time.monotonic()
    value = measure(*arguments)
    took = (time.monotonic() - started) * (os.cpu_count() or 1)
    return value, max(0.0, (_busy() - before) - (_own() - ours)) / took


def _busy() -> float:
    """Seconds that the processors have worked, for anyone; time stolen from this machine counts."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0) - getattr(times, "guest", 0)


def _own() -> float:
    """Seconds that they have worked for this bench."""
    here, total = psutil.Process(), 0.0
    for one in (here, *here.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _line(arm: str, measured: Measured, question: str) -> str:
    told = f"{measured.first:6.2f} {measured.whole:6.2f} s {measured.prompt_tokens:5} tokens"
    return f"{arm:12} {told} {100 * measured.others:3.0f}% others  {question[:50]}"


if __name__ == "__main__":
    main()
