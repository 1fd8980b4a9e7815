"""What stands and hangs in a drawn kitchen: each function paints one thing on a canvas."""

from __future__ import annotations

import cv2
import numpy as np

from kitchen_watch.demo.canvas import SCALE, WIDTH, Box, Canvas, Colour, tinted

STEEL: Colour = (178, 176, 170)
DARK_STEEL: Colour = (92, 90, 86)


def plaster(canvas: Canvas, colour: Colour, *, until: int = 720) -> None:
    """The painted wall, a little uneven."""
    canvas.surface((0, 0, WIDTH, until), colour, tinted(colour, 0.9))
    stains = cv2.resize(
        canvas.random.normal(0, 1, (9, 16)).astype(np.float32), (WIDTH * SCALE, until * SCALE)
    )
    canvas.pixels[: until * SCALE, :, :3] += (stains * 2.5)[..., None]


def tiles(canvas: Canvas, box: Box, colour: Colour, *, size: int = 46) -> None:
    """Glazed tiles with grout; every tile has its own shade."""
    left, top, width, height = box
    for y in range(top, top + height, size):
        for x in range(left, left + width, size):
            shade = float(canvas.random.normal(1.0, 0.022))
            face = tinted(colour, shade)
            side = min(size, left + width - x), min(size, top + height - y)
            canvas.surface((x, y, *side), face, tinted(face, 0.955))
            grout = tinted(colour, 0.8)
            canvas.line((x, y), (x + side[0], y), grout, width=1.2)
            canvas.line((x, y), (x, y + side[1]), grout, width=1.2)


def hood(canvas: Canvas, x: int, width: int, *, lit: bool) -> None:
    """An extractor hood with grease filters and a light strip under it."""
    canvas.surface((x + width // 3, 0, width // 3, 52), STEEL, (150, 148, 142), across=True, grain=4)
    canvas.polygon([(x + 40, 50), (x + width - 40, 50), (x + width, 128), (x, 128)], (168, 166, 160))
    canvas.polygon([(x + 40, 50), (x + width - 40, 50), (x + width - 30, 66), (x + 30, 66)], (196, 194, 188))
    for step in range(x + 24, x + width - 40, 34):
        canvas.polygon([(step, 92), (step + 26, 92), (step + 28, 122), (step - 1, 122)], (126, 124, 119))
        canvas.line((step + 4, 106), (step + 24, 106), (150, 148, 143), width=1.5)
    canvas.surface((x - 4, 126, width + 8, 16), (206, 204, 198), (150, 148, 143))
    if lit:
        canvas.surface((x + width // 4, 142, width // 2, 6), (250, 254, 255), (235, 246, 250))


def shelf(canvas: Canvas, x: int, y: int, width: int, things: str) -> None:
    """A steel shelf; ``things`` is a row of letters: j jar, b bowls, p plates, t tin, k pot, space gap."""
    canvas.shade((x + width / 2, y + 34), (width * 0.55, 26), 0.22)
    at = x + 12
    for thing in things:
        at += _on_shelf(canvas, thing, at, y)
    canvas.surface((x, y, width, 9), (205, 203, 197), (140, 138, 132), grain=3)
    for support in (x + 20, x + width - 26):
        canvas.polygon([(support, y + 9), (support + 6, y + 9), (support + 6, y + 44)], (120, 118, 112))


def _on_shelf(canvas: Canvas, thing: str, x: int, y: int) -> int:
    jitter = int(canvas.random.integers(0, 8))
    if thing == "j":
        colour = ((58, 92, 158), (60, 120, 96), (70, 70, 150), (52, 110, 170))[jitter % 4]
        canvas.pillar((x, y - 50 - jitter, 30, 50 + jitter), colour)
        canvas.surface((x - 1, y - 60 - jitter, 32, 11), (70, 72, 74), (40, 42, 44))
        canvas.surface((x + 4, y - 34, 22, 16), (220, 232, 236), (206, 220, 224))
        return 40
    if thing == "b":
        for level in range(4):
            canvas.ellipse((x + 26, y - 10 - level * 9), (25, 9), (212, 216, 218))
            canvas.ellipse((x + 26, y - 13 - level * 9), (22, 5), (186, 190, 193))
        return 64
    if thing == "p":
        for level in range(7):
            canvas.ellipse(
                (x + 30, y - 4 - level * 5), (30, 4.5), (228, 230, 231) if level % 2 else (196, 199, 201)
            )
        return 72
    if thing == "t":
        canvas.pillar((x, y - 40, 36, 40), (44, 66, 178) if jitter % 2 else (60, 140, 180))
        return 44
    if thing == "k":
        canvas.pillar((x, y - 46, 76, 46), (170, 168, 162))
        canvas.surface((x - 3, y - 50, 82, 6), (214, 212, 206), (150, 148, 142))
        return 92
    return 26


def hanging_tools(canvas: Canvas, x: int, y: int, count: int) -> None:
    """A rail with ladles, skimmers and small pans."""
    width = count * 44 + 16
    for index in range(count):
        at = x + 20 + index * 44
        canvas.line((at, y + 4), (at, y + 70), (148, 146, 140), width=3)
        if index % 3 == 0:
            canvas.ellipse((at, y + 84), (14, 15), (120, 118, 114))
            canvas.ellipse((at - 2, y + 80), (10, 9), (158, 156, 150))
        elif index % 3 == 1:
            canvas.ellipse((at, y + 88), (19, 19), (58, 58, 60))
            canvas.ellipse((at - 2, y + 86), (15, 15), (78, 78, 80))
        else:
            canvas.surface((at - 11, y + 66, 22, 34), (168, 166, 160), (132, 130, 124))
    canvas.surface((x, y, width, 6), (214, 212, 206), (140, 138, 132))


def fridge(canvas: Canvas, box: Box) -> None:
    """A two-door steel refrigerator with a display."""
    x, y, width, height = box
    canvas.shade((x + width / 2, y + height / 2), (width * 0.75, height * 0.6), 0.18)
    canvas.surface(box, (150, 149, 144), (204, 203, 198), across=True, grain=2.5)
    canvas.surface((x, y, width, 46), (122, 121, 117), (146, 145, 140))
    canvas.surface((x + width // 2 - 26, y + 14, 52, 20), (36, 34, 30), (44, 42, 38))
    canvas.write("4.0°", (x + width // 2 - 15, y + 14), 14, (120, 240, 140))
    canvas.line((x + width // 2, y + 46), (x + width // 2, y + height), (96, 95, 91), width=2.5)
    for side in (-16, 10):
        canvas.surface((x + width // 2 + side, y + 150, 6, 120), (88, 87, 84), (120, 118, 114), across=True)


def notice(canvas: Canvas, x: int, y: int, lines: tuple[str, ...], colour: Colour) -> None:
    """A framed sheet on the wall with a coloured head and a few lines."""
    canvas.shade((x + 50, y + 62), (70, 78), 0.12)
    canvas.surface((x, y, 100, 118), (238, 240, 240), (228, 230, 231))
    canvas.surface((x, y, 100, 28), colour, colour)
    canvas.write(lines[0], (x + 13, y + 1), 17, (250, 250, 250))
    for index, line in enumerate(lines[1:]):
        canvas.write(line, (x + 10, y + 34 + index * 20), 13, (60, 58, 54))


def extinguisher(canvas: Canvas, x: int, y: int) -> None:
    """A fire extinguisher on its hook."""
    canvas.pillar((x, y + 16, 30, 92), (38, 34, 190))
    canvas.surface((x + 9, y, 12, 17), (40, 40, 42), (22, 22, 24))
    canvas.line((x + 15, y + 6), (x + 36, y + 40), (24, 24, 26), width=4)
    canvas.surface((x + 4, y + 44, 22, 26), (226, 228, 230), (210, 212, 214))


def window(canvas: Canvas, box: Box, *, day: bool) -> None:
    """A window: bright sky by day, a dark pane with a street lamp's glow by night."""
    x, y, width, height = box
    canvas.surface((x - 8, y - 8, width + 16, height + 16), (214, 216, 216), (190, 192, 192))
    if day:
        canvas.surface(box, (252, 244, 228), (240, 244, 236))
    else:
        canvas.surface(box, (62, 50, 40), (40, 34, 30))
        canvas.ellipse((x + width * 0.7, y + height * 0.3), (10, 10), (150, 190, 210), opacity=0.7)
    canvas.surface((x + width // 2 - 3, y, 6, height), (206, 208, 208), (186, 188, 188))


def worktop(canvas: Canvas, y: int) -> None:
    """The steel counter in front, over the whole width, from its back edge ``y`` to the bottom."""
    canvas.surface((0, y, WIDTH, 88), (150, 149, 145), (204, 203, 199), grain=3.5)
    canvas.surface((0, y, WIDTH, 4), (222, 221, 217), (196, 195, 190))
    canvas.surface((0, y + 88, WIDTH, 16), (232, 231, 227), (128, 127, 123))
    canvas.surface((0, y + 104, WIDTH, 720 - y - 104), (126, 125, 121), (78, 77, 74), grain=2)
    for x in range(-40, WIDTH, 330):
        canvas.line((x, y + 112), (x, 719), (62, 61, 58), width=3)
        canvas.surface((x + 120, y + 124, 90, 8), (170, 168, 163), (110, 108, 104))


def pot(canvas: Canvas, x: int, y: int, width: int, height: int) -> None:
    """A stock pot that stands with its bottom at ``y``."""
    canvas.shade((x + width / 2, y), (width * 0.75, 14), 0.35)
    canvas.pillar((x, y - height, width, height), (176, 174, 168))
    canvas.ellipse((x + width / 2, y), (width / 2, 9), (120, 118, 113))
    canvas.ellipse((x + width / 2, y - height), (width / 2 + 3, 13), (206, 204, 198))
    canvas.ellipse((x + width / 2, y - height + 1), (width / 2 - 3, 10), (74, 84, 92))
    for side in (x - 12, x + width):
        canvas.surface((side, y - height + 26, 12, 9), (96, 94, 90), (70, 68, 65))


def wok(canvas: Canvas, x: int, y: int) -> None:
    """A wok on a gas burner; its flame is drawn by the scene."""
    canvas.surface((x + 14, y - 16, 142, 16), (52, 51, 50), (30, 30, 30))
    canvas.ellipse((x + 85, y - 34), (96, 36), (44, 44, 46))
    canvas.ellipse((x + 85, y - 46), (96, 26), (30, 30, 32))
    canvas.ellipse((x + 85, y - 43), (80, 19), (52, 74, 96))
    for index in range(26):
        dx, dy = canvas.random.normal(0, 32), canvas.random.normal(0, 6)
        leaf = ((58, 132, 86), (46, 74, 196), (120, 190, 214))[index % 3]
        canvas.ellipse((x + 85 + dx, y - 44 + dy), (8, 4), leaf)
    canvas.line((x + 176, y - 50), (x + 240, y - 68), (40, 52, 74), width=9)


def board(canvas: Canvas, x: int, y: int, food: str) -> None:
    """A chopping board with food: ``greens`` or ``tomatoes``, and a knife."""
    canvas.shade((x + 130, y + 4), (170, 20), 0.25)
    canvas.polygon([(x + 24, y - 40), (x + 238, y - 40), (x + 262, y), (x, y)], (118, 164, 200))
    canvas.polygon([(x, y), (x + 262, y), (x + 262, y + 11), (x, y + 11)], (78, 118, 152))
    for _ in range(70 if food == "greens" else 9):
        dx, dy = canvas.random.normal(86, 30), canvas.random.normal(-22, 8)
        if food == "greens":
            shade = int(canvas.random.integers(-24, 24))
            canvas.ellipse((x + dx, y + dy), (9, 5), (62 + shade // 2, 150 + shade, 92 + shade // 2))
        else:
            canvas.ellipse((x + dx, y + dy - 8), (17, 16), (38, 42, 190))
            canvas.ellipse((x + dx - 5, y + dy - 14), (4, 3), (140, 150, 236))
    canvas.polygon(
        [(x + 160, y - 26), (x + 232, y - 32), (x + 234, y - 18), (x + 162, y - 12)], (214, 213, 209)
    )
    canvas.polygon([(x + 232, y - 31), (x + 268, y - 36), (x + 269, y - 27), (x + 234, y - 21)], (34, 34, 36))


def trays(canvas: Canvas, x: int, y: int, count: int) -> None:
    """Steel gastronorm trays with prepared food."""
    foods: tuple[Colour, ...] = (
        (70, 150, 96),
        (60, 110, 206),
        (150, 200, 226),
        (60, 70, 176),
        (150, 170, 180),
    )
    for index in range(count):
        at = x + index * 118
        canvas.polygon([(at + 10, y - 44), (at + 106, y - 44), (at + 114, y), (at, y)], (196, 195, 190))
        canvas.polygon(
            [(at + 18, y - 39), (at + 99, y - 39), (at + 105, y - 7), (at + 9, y - 7)], foods[index % 5]
        )
        for _ in range(60):
            dx, dy = canvas.random.uniform(16, 98), canvas.random.uniform(-35, -11)
            shade = float(canvas.random.normal(1, 0.15))
            canvas.ellipse((at + dx, y + dy), (6, 3), tinted(foods[index % 5], shade))
        canvas.surface((at, y, 114, 12), (150, 149, 144), (108, 107, 103))


def sink(canvas: Canvas, x: int, y: int) -> None:
    """A wash basin in the worktop with its tap."""
    canvas.polygon([(x + 20, y - 50), (x + 270, y - 50), (x + 296, y), (x, y)], (96, 95, 92))
    canvas.polygon([(x + 36, y - 43), (x + 256, y - 43), (x + 272, y - 8), (x + 22, y - 8)], (66, 65, 63))
    canvas.line((x + 146, y - 50), (x + 146, y - 148), (204, 203, 198), width=10)
    canvas.line((x + 146, y - 146), (x + 196, y - 146), (204, 203, 198), width=9)
    canvas.line((x + 196, y - 146), (x + 196, y - 116), (178, 177, 172), width=9)


def crates(canvas: Canvas, x: int, y: int, count: int) -> None:
    """Stacked plastic crates of vegetables, bottoms at ``y``."""
    for level in range(count):
        top = y - (level + 1) * 62
        canvas.surface((x, top, 190, 60), (150, 120, 50) if level % 2 else (60, 128, 60), (100, 84, 40))
        for hole in range(x + 14, x + 176, 27):
            canvas.surface((hole, top + 24, 17, 24), (46, 52, 40), (56, 62, 48))
        canvas.surface((x - 4, top, 198, 8), (186, 160, 96) if level % 2 else (100, 168, 100), (110, 104, 60))
    for _ in range(16):
        dx = canvas.random.uniform(14, 176)
        canvas.ellipse((x + dx, y - count * 62 - 2), (15, 11), (84, 168, 122))
