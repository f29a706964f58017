"""Ten class colours and marker shapes that read on white and on black, and without colour vision.

The first seven colours are those of Okabe and Ito (2008) without black, their yellow and vermilion kept apart by
lightness; three more fill up to ten. Colour never stands alone: each class has its own marker shape as well.
"""

from __future__ import annotations

COLOURS = [
    "#0072B2",  # blue
    "#E69F00",  # orange
    "#009E73",  # green
    "#D55E00",  # vermilion
    "#56B4E9",  # sky
    "#CC79A7",  # pink
    "#B8A800",  # yellow, darkened so that it reads on white
    "#8C6BB1",  # violet
    "#8A8A8A",  # grey
    "#A6611A",  # brown
]
"""One a class, in the order of the classes."""

SYMBOLS = [
    "circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star", "pentagon", "hexagram",
]  # fmt: skip
"""Plotly's names of one marker shape a class."""

WRONG = "#D62728"
"""What is wrong, in every picture; never used for a class."""

GREY = COLOURS[8]
"""Of what is there to compare with, and of rows without a class."""


def colour(i: int) -> str:
    """The colour of class i; from the eleventh class on they repeat."""
    return COLOURS[int(i) % len(COLOURS)]


def symbol(i: int) -> str:
    """The marker shape of class i. The shapes shift by one each round, so colour and shape together do not repeat."""
    i = int(i)
    return SYMBOLS[(i + i // len(COLOURS)) % len(SYMBOLS)]
