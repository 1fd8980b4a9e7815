"""Structured logs: one set-up for both programs, and redaction as the last step before output."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

from kitchen_watch.redact import redact, redact_log_event

LogFormat = Literal["console", "json"]


class _RedactingFormatter(logging.Formatter):
    """Other libraries' log lines, without credentials."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted line after redaction, its traceback included."""
        return redact(super().format(record))


def configure_logs(*, log_format: LogFormat = "console", level: str = "INFO") -> None:
    """Send everything to standard error: human lines, or one JSON object per line.

    Standard output stays free for machine-readable results.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact_log_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        # Looked up at every line: whoever replaces standard error later is heeded.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,  # the programs configure anew once they know their settings
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s [%(levelname)s] %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "websockets", "libav", "watchfiles", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
