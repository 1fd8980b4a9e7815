"""``python -m kitchen_watch``: the same as ``kitchen-watch``."""

from __future__ import annotations

from kitchen_watch.cli import main

if __name__ == "__main__":
    main()
