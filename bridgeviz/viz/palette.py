"""Ten class colours and marker shapes that are legible on white, on black, and without colour vision.

The first seven colours are those of Okabe and Ito (2008) without black, with yellow and vermilion separated by
lightness; three more make ten. Colour is never the only cue: each class has its own marker shape as well. The ramp, for
points without classes, repeats what the map of the source shows beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

COLOURS = [
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#D55E00",  # vermilion
    "#56B4E9",  # sky
    "#CC79A7",  # pink
    "#B8A800",  # yellow, darkened to be legible on white
    "#8C6BB1",  # violet
    "#8A8A8A",  # grey
    "#A6611A",  # brown
]
"""One per class, in the order of the classes."""

SYMBOLS = [
    "circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star", "pentagon", "hexagram",
]  # fmt: skip
"""Plotly's names of the marker shapes, one per class."""

WRONG = "#D62728"
"""Errors, in every figure; never the colour of a class."""

RAMP = ["#1A1A8F", "#4B0FA6", "#7A0AA8", "#A01C9C", "#BE3585", "#D3506C", "#DB6353", "#D9712F"]
"""From one end of a space to the other, where points have no classes: dark to light, legible on white."""

GREY = COLOURS[8]
"""Reference lines and marks, and rows without a class."""


def colour(i: int) -> str:
    """The colour of class i. From the eleventh class on, colours repeat."""
    return COLOURS[int(i) % len(COLOURS)]


def symbol(i: int) -> str:
    """The marker shape of class i. The shapes shift by one each round, so that pairs of colour and shape differ."""
    i = int(i)
    return SYMBOLS[(i + i // len(COLOURS)) % len(SYMBOLS)]


def ramp_step(share: float) -> int:
    """The number of the colour of `RAMP` at a share of its way."""
    return min(int(share * len(RAMP)), len(RAMP) - 1)


def luminance(rgb: Sequence[float]) -> float:
    """Relative luminance of a colour with channels in 0..255, in [0, 1] (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: Sequence[float], second: Sequence[float]) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2); text is legible from 4.5 on, lines from 3 on."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)
