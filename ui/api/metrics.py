"""What Prometheus is told: requests, seconds, tokens, the line. No label names a person, a key or a text."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rag.types import Answer

__all__ = ["CONTENT_TYPE", "Metrics"]

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320)


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        """All at zero."""
        self._registry = at = CollectorRegistry()
        self.requests = Counter("unitutor_requests", "Requests.", ["route", "status"], registry=at)
        self.seconds = Histogram(
            "unitutor_request_seconds", "To a response's end.", ["route"], buckets=SECONDS, registry=at
        )
        self.first = Histogram(
            "unitutor_first_word_seconds", "To an answer's first word.", buckets=SECONDS, registry=at
        )
        self.answers = Counter("unitutor_answers", "Answers, by how they ended.", ["end"], registry=at)
        self.tokens = Counter("unitutor_tokens", "Tokens read and written.", ["kind"], registry=at)
        self.working = Gauge("unitutor_working", "Answers being written.", registry=at)
        self.waiting = Gauge("unitutor_waiting", "Questions in the line.", registry=at)

    def answered(self, answer: Answer) -> None:
        """Count an answer that has ended."""
        end = "refused" if answer.refused else "stopped" if answer.stopped else "whole"
        self.answers.labels(end).inc()
        self.tokens.labels("prompt").inc(answer.timings.prompt_tokens)
        self.tokens.labels("output").inc(answer.timings.output_tokens)

    def text(self, working: int, waiting: int) -> bytes:
        """All of it in Prometheus's text format."""
        self.working.set(working)
        self.waiting.set(waiting)
        return generate_latest(self._registry)
