"""Options: checked when they are set, compared by their values, and picked for the member that has them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from bridgeviz._checks import InputError
from bridgeviz._options import Choice, Count, Decay, Group, Interval, Options, Positive, Variant, option, pick


@dataclass(frozen=True, kw_only=True)
class Brush(Options):
    name = "brush"
    width: float = option(Positive(), 1.0, help="Its width.")
    bristles: int = option(Count(least=3), 10, word="many", help="How many bristles it has.")


@dataclass(frozen=True, kw_only=True)
class Pen(Options):
    name = "pen"
    where = "Pen"
    width: float = option(Interval(0.1, 2.0), 0.5, help="Its width.")
    fade: float | None = option(Decay(), None, help="How fast its ink fades.")


TOOLS: dict[str, type[Options]] = {"brush": Brush, "pen": Pen}
PENS: dict[str, Options] = {"fine": Pen(width=0.1), "broad": Pen(width=2.0)}


@dataclass(frozen=True, kw_only=True)
class Drawing(Options):
    name = "drawing"
    paper: str = option(Choice(("white", "grey")), "white", help="Colour of the paper.")
    tool: Options = option(Variant(TOOLS, Options), Brush(), help="What draws.")
    pen: str | Pen = option(Variant(PENS, Pen), "fine", help="What signs.")
    frame: Brush = option(Group(Brush), Brush(), help="What paints the frame.")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Brush(width=0), r"'width' of brush\(\) must be a float > 0. Got 0"),
        (lambda: Brush(bristles=2), r"'bristles' of brush\(\) must be an integer >= 3. Got 2"),
        (lambda: Brush(width=None), r"'width' of brush\(\) must be a float > 0. Got None"),
        (lambda: Pen(width=2.5), r"'width' of Pen\(\) must be a float from 0.1 to 2. Got 2.5"),
        (lambda: Pen(fade=1.0), r"'fade' of Pen\(\) must be a decay in \(0, 1\), or None. Got 1.0"),
        (lambda: Drawing(paper="blue"), r"'paper' of drawing\(\) must be one of 'white', 'grey'"),
        (lambda: Drawing(tool="pencil"), r"'tool' of drawing\(\) must be one of 'brush', 'pen'. .* Did you mean 'pen'"),
        (lambda: Drawing(frame=Pen()), r"'frame' of drawing\(\) must be a Brush"),
        (lambda: dataclasses.replace(Pen(), width=-1), r"'width' of Pen\(\)"),
    ],
)
def test_fields_are_checked_when_they_are_set(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_none_is_accepted_only_as_a_default_or_where_it_has_a_word():
    assert Pen(fade=None).fade is None
    assert Brush(bristles=None).bristles is None


def test_the_name_of_a_class_becomes_an_object_and_the_name_of_an_object_stays_one():
    assert Drawing(tool="pen").tool == Pen()
    assert Drawing(pen="broad").pen == "broad"
    assert Drawing(pen=Pen(width=2.0)) == Drawing(pen="broad")
    assert Drawing(pen=Pen(width=1.0)).pen == Pen(width=1.0)


def test_only_what_differs_from_the_defaults_is_a_change():
    assert Drawing().changed() == {}
    assert Drawing(paper="grey", tool=Brush(width=3)).changed() == {"paper": "grey", "tool": Brush(width=3.0)}
    assert hash(Drawing(tool=Brush(width=3))) == hash(Drawing(tool=Brush(width=3.0)))


def picked(value, **arguments):
    return pick(TOOLS, value, arguments, "tool", "draw", Options)


def test_pick_gives_each_member_its_own_options():
    assert picked("brush", width=3, bristles=5, fade=0.5) == Brush(width=3.0, bristles=5)
    assert picked("pen", bristles=5, fade=0.5) == Pen(fade=0.5)
    assert picked(Pen(width=1.5), fade=0.5) == Pen(width=1.5, fade=0.5)
    assert picked(Pen(width=1.5)) == Pen(width=1.5)


@pytest.mark.parametrize(
    ("value", "arguments", "message"),
    [
        ("brush", {"colour": "red"}, r"draw\(\) has no option 'colour'"),
        ("brush", {"fade": 2.0}, r"'fade' of draw\(\)"),
        ("pen", {"width": 3.0}, r"'width' of draw\(\) must be a float from 0.1 to 2. Got 3.0"),
        ("crayon", {}, r"'tool' of draw\(\) must be one of 'brush', 'pen'"),
        (3, {}, r"'tool' of draw\(\)"),
    ],
)
def test_pick_names_what_is_wrong_as_an_argument_of_its_caller(value, arguments, message):
    with pytest.raises(InputError, match=message):
        picked(value, **arguments)
