"""Where shipped models and configurations lie: in the installed wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

from kitchen_watch.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE / "share", _PACKAGE.parent.parent)


def shipped(relative: str) -> Path:
    """Absolute path of a shipped file such as ``models/kitchen-yolo26n.onnx``.

    Raises:
        ConfigError: the installation lacks it.
    """
    for root in _ROOTS:
        candidate = root / relative
        if candidate.exists():
            return candidate
    raise ConfigError(f"{relative}: this installation lacks the file. Install kitchen-watch again.")
