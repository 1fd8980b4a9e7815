"""The newest analysed picture as JPEG, for browsers that can show nothing else."""

from __future__ import annotations

import asyncio

from kitchen_watch.edge.evidence.privacy import PrivacyMask
from kitchen_watch.edge.evidence.snapshot import jpeg
from kitchen_watch.edge.streams.frame import Frame


async def newest_picture(frame: Frame | None, mask: PrivacyMask) -> bytes | None:
    """``frame`` at the size of analysis with privacy burnt in; ``None`` before the first one."""
    if frame is None:
        return None
    return await asyncio.to_thread(lambda: jpeg(mask.burnt(frame.image)))
