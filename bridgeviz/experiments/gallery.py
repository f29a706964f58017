"""The shipped gallery: finished runs, small enough to open at once, each showing one way that alignment works or fails.

`bridgeviz gallery` makes the files. Every number on a card is read from its file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_file
from bridgeviz.datasets import paths
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._run import run
from bridgeviz.experiments._scene import Scene, scene

MOST_BYTES = 300_000
"""The largest size of a file of the gallery."""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One run of the gallery.

    Attributes:
        short: a word or two, for a button.
        title: a few words.
        lesson: one sentence; names in braces are filled with the file's own numbers.
        config: of the run.
        against: what to compare its test accuracy with, or None.
    """

    short: str
    title: str
    lesson: str
    config: RunConfig
    against: RunConfig | None = None


def _digits(**changes) -> RunConfig:
    return RunConfig(**{"dataset": "digits", "fraction": 0.02, "steps": 1000, "cost": "diffusion_bridge", **changes})


_MNIST = RunConfig(dataset="mnist", fraction=0.01, cost="diffusion_bridge", steps=1500)

PRESETS: dict[str, Preset] = {
    "digits": Preset(
        short="Digits",
        title="It works: digits",
        lesson="{pairs} pairs are enough to carry {right} of new handwritten digits to their own label.",
        config=_digits(),
    ),
    "mnist": Preset(
        short="MNIST",
        title="It works: MNIST",
        lesson="The same with MNIST: {pairs} pairs of {known}, and {right} of new digits arrive at their own label.",
        config=_MNIST,
    ),
    "too_few_pairs": Preset(
        short="Too few pairs",
        title="Too few pairs",
        lesson="With {pairs} pairs some digits have no pair at all; {right} of new digits arrive, "
        "against {against} with {against_pairs} pairs.",
        config=_digits(fraction=0.005),
        against=_digits(),
    ),
    "classes_overlap": Preset(
        short="Classes overlap",
        title="Classes overlap",
        lesson="Where {overlap} of a point's neighbours belong to another class, no pair can tell them apart: "
        "{right} arrive, against {against} when the classes lie apart.",
        config=RunConfig(dataset="blobs", options={"overlap": 0.8}, fraction=0.05, steps=1000),
        against=RunConfig(dataset="blobs", options={"overlap": 0.1}, fraction=0.05, steps=1000),
    ),
    "local_misguides": Preset(
        short="Local misguides",
        title="Local alignment misguides",
        lesson="Transport solved inside small batches must match points whose partners are not there: "
        "{right} arrive, against {against} when all points are matched at once.",
        config=_digits(strategy="local", batch_size=32, steps=500),
        against=_digits(batch_size=32, steps=500),
    ),
    "true_overfits": Preset(
        short="Pairs alone",
        title="The pairs alone overfit",
        lesson="Learning from the {pairs} pairs and nothing else: {right} of new digits arrive, "
        "against {against} when transport spreads the same pairs to all points.",
        config=_digits(strategy="true"),
        against=_digits(),
    ),
    "tau_too_low": Preset(
        short="Tau too low",
        title="Tau too low",
        lesson="With tau this low transport may leave out the digits that are expensive to move: a tenth of them "
        "carries {heavy} of the mass, and {right} of new digits arrive, against {against} when every digit must be "
        "matched.",
        config=_digits(tau=(0.1, 1.0)),
        against=_digits(),
    ),
    "synonyms": Preset(
        short="Similar names",
        title="Similar classes: real pictures",
        lesson="Twenty kinds of pictures in pairs of similar names, such as spiny and American lobster: {overlap} of a "
        "picture's neighbours belong to another class, and {right} of new pictures arrive at their own name "
        "(guessing: 5%).",
        config=RunConfig(
            dataset="tiny-imagenet", options={"classes": "synonyms"}, fraction=0.25, cost="diffusion_bridge", steps=1000
        ),
    ),
    "two_encoders": Preset(
        short="Two encoders",
        title="One to one: two networks",
        lesson="Two networks that saw the same pictures, with {pairs} pairs known. A new picture arrives nearer to its "
        "own counterpart than to all but {nearer} of the others (guessing: 50%).",
        config=RunConfig(dataset="two-encoders", fraction=0.1, cost="diffusion_bridge", steps=1500),
    ),
    "cells": Preset(
        short="Cells",
        title="One to one: cells measured twice",
        lesson="{pairs} cells whose chromatin and whose genes were both measured: {right} of new cells arrive in their "
        "own cell line, but {nearer} of the others lie nearer than their own counterpart (guessing: 50%).",
        config=RunConfig(dataset="snare-seq", fraction=0.1, cost="diffusion_bridge", steps=1000),
    ),
}


def home() -> Path:
    """Where the shipped files are."""
    return paths.shipped() / "gallery"


def make_all(out: Path | None = None, names: list[str] | None = None) -> Iterator[str]:
    """Make the files of some presets (all by default) in `out`; yields one line about each."""
    out = home() if out is None else Path(out)
    for name in names or PRESETS:
        check.choice(name, "names", "make_all", PRESETS)
    done: dict[RunConfig, dict[str, float]] = {}
    for name in names or PRESETS:
        path = make(name, out, done=done)
        shown = read(name, out)
        accuracy = shown.metrics.get("test_accuracy", float("nan"))
        yield f"{name}: test accuracy {accuracy:.3f}, {path.stat().st_size:,} bytes"


def make(
    name: str,
    out: Path,
    *,
    points: int = 400,
    changes: Callable[[RunConfig], RunConfig] = lambda config: config,
    done: dict[RunConfig, dict[str, float]] | None = None,
) -> Path:
    """Run a preset and write `out/<name>.npz`, whole or not at all.

    Args:
        name: of the preset.
        out: folder.
        points: how many are drawn.
        changes: applied to every config first; tests use it to shorten the training.
        done: numbers of earlier runs by config; new ones are added, so that nothing is trained twice.
    """
    preset = PRESETS[check.choice(name, "name", "make", PRESETS)]
    result = run(changes(preset.config))
    film = scene(result, points=points, strip=12)
    done = {} if done is None else done
    done[result.config] = {"pairs": len(result.pairs), **result.metrics}
    numbers = {"pairs": len(result.pairs), "known": len(np.asarray(result.problem.truth)), **result.metrics}
    if not result.plan.estimated:
        mass = np.sort(result.plan.marginals()[0])
        numbers["heavy"] = float(mass[-len(mass) // 10 :].sum() / mass.sum())
    if preset.against is not None:
        against = changes(preset.against)
        if against not in done:
            other = run(against)
            done[against] = {"pairs": len(other.pairs), **other.metrics}
        other_numbers = done[against]
        numbers |= {"against_test_accuracy": other_numbers["test_accuracy"], "against_pairs": other_numbers["pairs"]}
    arrays: dict[str, np.ndarray] = {}
    about: dict = {"metrics": numbers}
    for field in fields(film):
        value = getattr(film, field.name)
        if field.name == "positions":
            arrays["positions"] = value.astype(np.float16)
        elif isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif field.name != "metrics":
            about[field.name] = value
    out.mkdir(parents=True, exist_ok=True)
    arrays["about"] = np.array(json.dumps(about))
    with new_file(out / f"{name}.npz") as draft:
        np.savez_compressed(draft, **arrays)  # pyright: ignore[reportArgumentType]
        if (size := draft.stat().st_size) > MOST_BYTES:
            raise InputError(f"The gallery file '{name}' would take {size:,} bytes; it may take {MOST_BYTES:,}.")
    return out / f"{name}.npz"


def read(name: str, folder: Path | None = None) -> Scene:
    """The scene of a preset from its file.

    Raises:
        InputError: an unknown name, or the file is missing or damaged.
    """
    check.choice(name, "name", "read", PRESETS)
    path = (home() if folder is None else Path(folder)) / f"{name}.npz"
    if not path.is_file():
        raise InputError(f"The gallery has no file {path.name}. Make it with `bridgeviz gallery`.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files if key != "about"}
            about = json.loads(str(stored["about"]))
        arrays["positions"] = arrays["positions"].astype(np.float32)
        return Scene(**arrays, **{**about, "names": tuple(about["names"])})
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise InputError(f"The gallery file {path.name} is damaged. Make it again with `bridgeviz gallery`.") from error


@lru_cache(maxsize=16)
def shipped(name: str) -> Scene:
    """The scene of a preset from the shipped files, read once per process."""
    return read(name)


def find(config: RunConfig) -> str | None:
    """The preset that has these settings; None if there is none."""
    return next((name for name, preset in PRESETS.items() if preset.config == config), None)


def config(film: Scene) -> RunConfig:
    """The settings of the run that a scene shows."""
    return RunConfig.from_dict(film.config)


def lesson(name: str, film: Scene) -> str:
    """A preset's sentence with the file's own numbers in it."""
    numbers = film.metrics
    return PRESETS[name].lesson.format(
        pairs=f"{numbers['pairs']:,}",
        known=f"{numbers['known']:,}",
        right=_percent(numbers.get("test_accuracy")),
        against=_percent(numbers.get("against_test_accuracy")),
        against_pairs=f"{numbers.get('against_pairs', 0):,}",
        heavy=_percent(numbers.get("heavy")),
        overlap=_percent(numbers.get("source_overlap")),
        nearer=_percent(numbers.get("test_foscttm")),
    )


def _percent(value: float | None) -> str:
    return "?" if value is None else f"{value:.0%}"
