"""The empty kitchens of the demo: what is behind the people, and what stands in front of them.

Five rooms are drawn, each from its own seed, so that every start gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from kitchen_watch.demo import furniture as put
from kitchen_watch.demo.canvas import HEIGHT, WIDTH, Canvas
from kitchen_watch.demo.photographs import Image

COUNTER = 500
"""Picture row of the worktop's back edge; people stand behind it."""


@dataclass(frozen=True)
class Kitchen:
    """One room. ``back`` and ``front`` are BGR uint8 of 1280 x 720; ``front_alpha`` is 0..1 float32."""

    back: Image
    front: Image
    front_alpha: NDArray[np.float32]


@cache
def draw(room: str) -> Kitchen:
    """Draw one of :data:`ROOMS`; nobody may change the pictures."""
    painter, seed, day = ROOMS[room]
    back, front = Canvas(np.random.default_rng(seed)), Canvas(np.random.default_rng(seed + 100))
    painter(back, front)
    _light(back, day=day)
    back_picture, _ = back.finished()
    front_picture, alpha = front.finished()
    # A kitchen camera is not sharp: the far wall is a little softer than the worktop.
    return Kitchen(
        np.asarray(cv2.GaussianBlur(back_picture, (0, 0), 1.3), np.uint8),
        np.asarray(cv2.GaussianBlur(front_picture, (0, 0), 0.8), np.uint8),
        np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.float32),
    )


def _stove(back: Canvas, front: Canvas) -> None:
    put.plaster(back, (206, 214, 218))
    put.tiles(back, (0, 176, WIDTH, 330), (222, 226, 226))
    put.shelf(back, 40, 196, 300, "jjtbj")
    put.hanging_tools(back, 60, 276, 6)
    put.hood(back, 400, 430, lit=True)
    put.fridge(back, (1010, 120, 230, 400))
    put.notice(back, 876, 220, ("操作规范", "1. 戴工作帽", "2. 戴口罩", "3. 勤洗手"), (148, 96, 30))
    put.extinguisher(back, 380, 330)
    put.worktop(front, COUNTER)
    put.wok(front, 470, COUNTER + 84)
    put.pot(front, 90, COUNTER + 66, 150, 96)
    put.board(front, 860, COUNTER + 78, "greens")


def _preparation(back: Canvas, front: Canvas) -> None:
    put.plaster(back, (212, 216, 206))
    put.tiles(back, (0, 210, WIDTH, 296), (218, 224, 214), size=58)
    put.window(back, (90, 40, 250, 130), day=True)
    put.shelf(back, 470, 150, 420, "pbkjtp")
    put.shelf(back, 470, 280, 420, "btjjkb")
    put.notice(back, 990, 190, ("从业人员", "健康证公示", "张三  有效", "李四  有效"), (70, 120, 46))
    put.extinguisher(back, 1150, 300)
    put.worktop(front, COUNTER)
    put.board(front, 110, COUNTER + 80, "tomatoes")
    put.trays(front, 470, COUNTER + 74, 4)
    put.pot(front, 1060, COUNTER + 64, 130, 110)


def _cold_dishes(back: Canvas, front: Canvas) -> None:
    put.plaster(back, (222, 220, 214))
    put.tiles(back, (0, 130, WIDTH, 376), (230, 228, 220), size=40)
    put.fridge(back, (60, 110, 250, 410))
    put.shelf(back, 420, 210, 380, "bppbjj")
    put.notice(back, 900, 170, ("冷食专间", "非操作人员", "不得入内", "二次更衣"), (40, 40, 170))
    put.window(back, (1060, 170, 160, 150), day=True)
    put.worktop(front, COUNTER)
    put.trays(front, 150, COUNTER + 74, 5)
    put.sink(front, 900, COUNTER + 78)


def _washing(back: Canvas, front: Canvas) -> None:
    put.plaster(back, (196, 206, 214))
    put.tiles(back, (0, 160, WIDTH, 346), (204, 216, 224), size=52)
    put.shelf(back, 90, 240, 470, "ppppbbb")
    put.hanging_tools(back, 640, 190, 7)
    put.notice(back, 1010, 210, ("餐具消毒", "一刮 二洗", "三冲 四消毒", "五保洁"), (150, 110, 20))
    put.crates(back, 1130, 506, 3)
    put.worktop(front, COUNTER)
    put.sink(front, 160, COUNTER + 78)
    put.sink(front, 560, COUNTER + 78)
    put.pot(front, 980, COUNTER + 64, 140, 90)


def _store(back: Canvas, front: Canvas) -> None:
    put.plaster(back, (206, 208, 206))
    put.tiles(back, (0, 230, WIDTH, 276), (214, 216, 214), size=46)
    put.window(back, (520, 50, 230, 120), day=False)
    put.shelf(back, 80, 180, 340, "tjjkb")
    put.fridge(back, (960, 110, 240, 410))
    put.crates(back, 120, 520, 4)
    put.crates(back, 330, 520, 2)
    put.worktop(front, COUNTER)
    put.pot(front, 300, COUNTER + 64, 140, 88)
    put.trays(front, 700, COUNTER + 74, 2)


def _light(canvas: Canvas, *, day: bool) -> None:
    """Lamp light from above, darker corners and a shadow along the worktop."""
    canvas.shade((WIDTH / 2, 60), (560, 330), -0.10 if day else -0.04)
    for corner in ((0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)):
        canvas.shade(corner, (420, 330), 0.24)
    canvas.shade((WIDTH / 2, COUNTER + 10), (1500, 46), 0.22)


ROOMS: dict[str, tuple[Callable[[Canvas, Canvas], None], int, bool]] = {
    "stove": (_stove, 1, True),
    "preparation": (_preparation, 2, True),
    "cold-dishes": (_cold_dishes, 3, True),
    "washing": (_washing, 4, True),
    "store": (_store, 5, False),
}
"""Name of the room: how it is painted, from which seed, by day or by night."""
