"""A finished run as something to play: points on their way, what they decode to, and how far to trust the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz import metrics
from bridgeviz.experiments._evaluation import rows_of_all_classes
from bridgeviz.experiments._run import Run
from bridgeviz.metrics import projection
from bridgeviz.problem import Problem, Space

FRAMES = 21
THUMBNAIL = 14
"""Largest width of a thumbnail, so that a thousand of them stay small."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """What the player draws.

    Attributes:
        ts: (T,) times from 0 (noise) to 1.
        positions: (T, n, 2) points on the map.
        labels: (n,) true class of each point, as an index into `names`.
        decoded: (T, n) class that each point decodes to at each time.
        names: of the classes.
        landmarks: (k, 2) centres of the target's classes on the map, in the order of `names`.
        targets, target_labels: (m, 2) some of the target's points on the map, where the points should arrive, and their
            classes as indices into `names`.
        partners: (m,) the point that should arrive at each of `targets`; empty where they stand for classes.
        rows: (n,) the row of each point among the test points, or the aligned rows; empty if that is not known.
        origins: (n, 2) where the points come from, on a map of the source; empty if that is not shown.
        thumbnails: (n, h, w) source pictures in 0..255, or None.
        strip: (s,) points that are followed one by one.
        strip_pictures: (s, h, w) their source pictures, or None.
        strip_sure: (T, s) probability that the decoder gives its answer, or None.
        strip_made: (T, s, h, w) pictures that they decode to on the way, or None.
        lit: (n,) which points are drawn with their paths while the others fade; None draws all alike.
        badge: of the map: `name`, `variance_share`, `trustworthiness`, `step_variation`, `latent_step_variation`,
            `largest_step`; and of the map of the source `source_variance_share` and `source_trustworthiness`.
        losses: (k,) training losses, averaged over equal stretches of steps that end at `loss_steps`.
        metrics, config: of the run.
        note: about the pictures.
    """

    ts: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    decoded: np.ndarray
    names: tuple[str, ...]
    landmarks: np.ndarray
    strip: np.ndarray
    badge: dict[str, Any]
    targets: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    target_labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))
    partners: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    origins: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    thumbnails: np.ndarray | None = None
    strip_pictures: np.ndarray | None = None
    strip_sure: np.ndarray | None = None
    strip_made: np.ndarray | None = None
    lit: np.ndarray | None = None
    loss_steps: np.ndarray = field(default_factory=lambda: np.zeros(0))
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    metrics: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @cached_property
    def places(self) -> np.ndarray | None:
        """(n,) the place of each point along the first axis of its map of the source: the share of the others before
        it, in [0, 1]; None where classes tell the points apart, or without that map."""
        if len(self.names) > 1 or len(self.origins) < 2:
            return None
        return self.origins[:, 0].argsort(kind="stable").argsort(kind="stable") / (len(self.origins) - 1)

    @property
    def chance(self) -> float:
        """Accuracy of always guessing the most frequent class."""
        return float(np.bincount(self.labels, minlength=1).max() / len(self.labels))


def scene(
    run: Run, *, points: int = 400, strip: int = 12, seed: int = 0, lit: ArrayLike | None = None, test: bool = True
) -> Scene:  # fmt: skip
    """The scene of a run, played on test points where the problem has some.

    Args:
        run: finished.
        points: the largest number of points, taken evenly from all classes.
        strip: how many of them are followed one by one.
        seed: of the choice of points and of the noise.
        lit: rows that are shown as well and followed first, at most `points` of them.
        test: whether to play test points, if there are any; otherwise the training rows.
    """
    problem = run.problem.test if test and run.problem.test is not None else run.problem
    rows = rows_of_all_classes(problem.source, points, seed=seed)
    ts = np.linspace(0, 1, FRAMES)

    def travel(rows: np.ndarray) -> np.ndarray:
        return run.flow.transport(problem.source.x[rows], seed=seed, ts=ts.tolist()).states

    if lit is None:
        return build(run, problem, rows, ts, travel(rows), strip=strip)
    chosen = np.random.default_rng(seed).permutation(check.rows(lit, "lit", "scene", size=len(problem.source)))[:points]
    more, states = np.setdiff1d(chosen, rows), travel(rows)  # apart, so that the noise of the others stays what it was
    if len(more):
        rows, states = np.concatenate([rows, more]), np.concatenate([states, travel(more)], axis=1)
    return build(run, problem, rows, ts, states, strip=strip, lit=np.isin(rows, chosen))


def build(
    run: Run, problem: Problem, rows: np.ndarray, ts: np.ndarray, states: np.ndarray, *, strip: int,
    lit: np.ndarray | None = None,
) -> Scene:  # fmt: skip
    """The scene of given states (T, n, q) of some rows of a problem; `lit` as in `Scene`."""
    source, target = problem.source, run.problem.target
    plane, plane_of_source = projection.fit_map(target.x), projection.fit_map(run.problem.source.x)
    positions, origins = plane.project(states), plane_of_source.project(source.x[rows])
    labels, decoded, names, centres = classes_of(source, target, rows, states)
    followed = _follow(labels, strip, lit)
    every = max(1, len(run.losses) // 150)
    whole = len(run.losses) // every * every
    pictures = source.pictures(rows[followed])
    arrival, arrival_labels, partners = _arrivals(problem, target, rows)
    return Scene(
        ts=ts,
        positions=positions.astype(np.float32),
        labels=labels,
        decoded=decoded,
        names=names,
        landmarks=plane.project(centres).astype(np.float32),
        targets=plane.project(arrival).astype(np.float32),
        target_labels=arrival_labels,
        partners=partners,
        rows=rows.astype(np.int32),
        origins=origins.astype(np.float32),
        strip=followed,
        badge=_badge(plane.name, plane.variance_share, positions, states)
        | {
            "tested": problem is run.problem.test,
            "source_variance_share": plane_of_source.variance_share,
            "source_trustworthiness": projection.trustworthiness(source.x[rows], origins),
        },
        thumbnails=_shrunk(source.pictures(rows)),
        strip_pictures=None if pictures is None else np.asarray(pictures, np.uint8),
        strip_sure=_certainty(target, states[:, followed]),
        strip_made=_decoded_pictures(target, states[:, followed]),
        loss_steps=np.arange(every, whole + 1, every),
        lit=lit,
        losses=run.losses[:whole].reshape(-1, every).mean(1).astype(np.float32),
        metrics=run.metrics,
        config=run.config.as_dict(),
        note=source.images_note,
    )


def with_neighbourhoods(
    straight: Scene, run: Run, *, seed: int = 0, report: Callable[[int, int], None] | None = None
) -> Scene:
    """The same scene on the "Neighbourhoods" map. Slow: one UMAP over all frames; it keeps about 185 points.

    Args:
        straight: the scene on another map.
        run: that it shows.
        seed: of the scene and of UMAP.
        report: as in `metrics.projection.neighbourhoods`.
    """
    problem = run.problem.test or run.problem
    rows = straight.rows
    states = run.flow.transport(problem.source.x[rows], seed=seed, ts=straight.ts.tolist()).states
    centres = classes_of(problem.source, run.problem.target, rows, states)[3]
    # More targets would leave fewer points.
    arrival, arrival_labels, partners = _arrivals(problem, run.problem.target, rows, most=100)
    positions, fixed = projection.neighbourhoods(states, np.concatenate([centres, arrival]), seed=seed, report=report)
    n = positions.shape[1]
    there = partners < n if len(partners) else np.ones(len(arrival), bool)
    shown = straight.strip < n

    def on_axis(array: np.ndarray | None, axis: int, kept: Any) -> np.ndarray | None:
        return None if array is None else (array[kept] if axis == 0 else array[:, kept])

    return replace(
        straight,
        positions=positions.astype(np.float32),
        labels=straight.labels[:n],
        decoded=straight.decoded[:, :n],
        landmarks=fixed[: len(centres)].astype(np.float32),
        targets=fixed[len(centres) :][there].astype(np.float32),
        target_labels=arrival_labels[there],
        partners=partners[there] if len(partners) else partners,
        rows=straight.rows[:n],
        origins=straight.origins[:n],
        strip=straight.strip[shown],
        badge=_badge("Neighbourhoods (one UMAP of all frames)", None, positions, states[:, :n])
        | {name: value for name, value in straight.badge.items() if name.startswith("source_")}
        | {"tested": run.problem.test is not None},
        strip_pictures=on_axis(straight.strip_pictures, 0, shown),
        strip_sure=on_axis(straight.strip_sure, 1, shown),
        strip_made=on_axis(straight.strip_made, 1, shown),
        thumbnails=on_axis(straight.thumbnails, 0, slice(n)),
    )


def _badge(name: str, variance_share: float | None, positions: np.ndarray, states: np.ndarray) -> dict[str, Any]:
    """What the map is, and how far to trust it."""
    return {
        "name": name,
        "variance_share": variance_share,
        "trustworthiness": projection.trustworthiness(states[-1], positions[-1]),
        "step_variation": projection.step_variation(positions),
        "latent_step_variation": projection.step_variation(states),
        "largest_step": projection.largest_step(positions),
    }


def _arrivals(
    problem: Problem, target: Space, rows: np.ndarray, *, most: int = 400
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the points of some rows should arrive: (m, q) points, (m,) their classes, and (m,) whose partners they are.

    Without classes, they are the partners of at most `most` of the rows, as far as these are known; else some rows of
    each class, which are nobody's partners.
    """
    if target.labels is None and problem.truth is not None:
        truth = np.asarray(problem.truth)
        known, first = np.unique(truth[:, 0], return_index=True)
        partners = np.flatnonzero(np.isin(rows, known))[:most]
        if len(partners):
            ends = truth[first[np.searchsorted(known, rows[partners])], 1]
            return problem.target.x[ends], np.zeros(len(ends), np.uint8), partners.astype(np.int32)
    return *some_targets(problem.source, target, most=most), np.zeros(0, np.int32)


def some_targets(source: Space, target: Space, *, most: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """At most `most` distinct rows of the target, taken evenly from all classes, and the numbers of their classes."""
    rows = rows_of_all_classes(target, most, seed=0)
    rows = rows[np.sort(np.unique(target.x[rows], axis=0, return_index=True)[1])]
    if target.labels is None:
        return target.x[rows], np.zeros(len(rows), np.uint8)
    classes = target.labels if source.labels is None else np.concatenate([target.labels, source.labels])
    return target.x[rows], np.searchsorted(np.unique(classes), target.labels[rows]).astype(np.uint8)


def classes_of(source: Space, target: Space, rows: np.ndarray, states: np.ndarray):
    """True and decoded class of each point as numbers, the names, and the target's class centres."""
    flat = states.reshape(-1, states.shape[-1])
    if target.labels is None:
        unknown = np.zeros(len(rows), np.uint8)
        return unknown, np.zeros(states.shape[:2], np.uint8), ("target",), target.x.mean(0, keepdims=True)
    own = np.unique(target.labels)
    classes = own if source.labels is None else np.union1d(own, source.labels)
    by_name: dict = dict(zip(own.tolist(), target.names or (), strict=False))
    names = tuple(str(by_name.get(c, c)) for c in classes.tolist())
    decoded = np.searchsorted(classes, metrics.predict_labels(target, flat)).reshape(states.shape[:2])
    labels = decoded[-1] if source.labels is None else np.searchsorted(classes, source.labels[rows])
    members = [target.x[target.labels == c] for c in classes]
    centres = np.stack([x.mean(0) if len(x) else target.x.mean(0) for x in members])
    return labels.astype(np.uint8), decoded.astype(np.uint8), names, centres


def _follow(labels: np.ndarray, count: int, lit: np.ndarray | None = None) -> np.ndarray:
    """The first points of each class in turn, those that are lit before the others."""
    rank = np.zeros(len(labels), int)
    faint = np.zeros(len(labels), bool) if lit is None else ~lit
    for c in np.unique(labels):
        rank[labels == c] = np.argsort(np.argsort(faint[labels == c], kind="stable"), kind="stable")
    rank += len(labels) * faint
    return np.lexsort((labels, rank))[:count]


def _certainty(target: Space, states: np.ndarray) -> np.ndarray | None:
    """The probability that the decoder gives its answer."""
    if target.decode_labels is None:
        return None
    chances = target.decode_labels(states.reshape(-1, states.shape[-1]).astype(np.float32))
    return np.asarray(chances).max(1).reshape(states.shape[:2]).astype(np.float32)


def _decoded_pictures(target: Space, states: np.ndarray) -> np.ndarray | None:
    if target.decode_images is None:
        return None
    pictures = np.asarray(target.decode_images(states.reshape(-1, states.shape[-1]).astype(np.float32)))
    return (255 * np.clip(pictures, 0, 1)).astype(np.uint8).reshape(*states.shape[:2], *pictures.shape[1:])


def _shrunk(pictures: np.ndarray | None) -> np.ndarray | None:
    """Pictures no wider than `THUMBNAIL`, by averaging blocks."""
    if pictures is None:
        return None
    pictures = np.asarray(pictures, np.uint8)
    by = -(-max(pictures.shape[1:]) // THUMBNAIL)
    if by == 1:
        return pictures
    n, h, w = pictures.shape
    cut = pictures[:, : h // by * by, : w // by * by].reshape(n, h // by, by, w // by, by)
    return cut.mean((2, 4)).astype(np.uint8)
