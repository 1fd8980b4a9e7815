"""The design tokens: text can be read in both themes, and both ways into the dark one agree."""

from __future__ import annotations

import re

import pytest

from kitchen_watch.backend.pages.rendering import STATIC

TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
AA_TEXT = 4.5
AA_SHAPES = 3.0


def block(start: str) -> dict[str, str]:
    found = re.search(re.escape(start) + r" \{(.*?)\}", TOKENS, re.DOTALL)
    assert found is not None
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", found[1]))


LIGHT = block(":root")
DARK = LIGHT | block(':root[data-theme="dark"]')


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT_PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("paper", "surface", "surface-2")],
    *[(colour, "surface") for colour in ("accent", "tier-1", "tier-2", "tier-3", "bad")],
    *[(colour, f"{colour}-soft") for colour in ("tier-1", "tier-2", "tier-3", "ok", "warn", "bad", "quiet")],
    ("accent-strong", "accent-soft"),
    ("accent-ink", "accent"),
    ("rail-ink", "rail"),
    ("rail-ink-2", "rail"),
    ("rail-ink", "rail-2"),
    *[("tier-ink", tier) for tier in ("tier-1", "tier-2", "tier-3")],
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_has_enough_contrast(theme: str, ink: str, ground: str) -> None:
    colours = {"light": LIGHT, "dark": DARK}[theme]
    assert contrast(colours[ink], colours[ground]) >= AA_TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("shape", "ground"), [("line-strong", "surface"), ("focus", "paper"), ("rail-mark", "rail")]
)
def test_borders_of_controls_and_focus_can_be_seen(theme: str, shape: str, ground: str) -> None:
    colours = {"light": LIGHT, "dark": DARK}[theme]
    assert contrast(colours[shape], colours[ground]) >= AA_SHAPES


def test_dark_by_choice_and_dark_by_the_system_are_the_same() -> None:
    assert block(":root:not([data-theme])") == block(':root[data-theme="dark"]')
