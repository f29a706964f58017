"""The nouns: what is being aligned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError


class Pairs(np.ndarray):
    """The paired samples P: an (l, 2) integer array of (source row, target row).

    >>> import numpy as np
    >>> pairs = Pairs([[0, 3], [2, 1]], shape=(4, 4))
    >>> pairs.source, len(pairs)
    (array([0, 2]), 2)
    """

    def __new__(cls, index: ArrayLike, *, shape: tuple[int, int]) -> Pairs:
        """Check `index` against the (n, m) of the problem and keep it."""
        return check.pair_index(index, "index", "Pairs", shape=shape).view(cls)

    @property
    def source(self) -> np.ndarray:
        """(l,) source rows."""
        return np.asarray(self)[:, 0]

    @property
    def target(self) -> np.ndarray:
        """(l,) target rows."""
        return np.asarray(self)[:, 1]


@dataclass(frozen=True, eq=False)
class Space:
    """One latent space: n samples of one frozen model.

    Args:
        x: (n, p) real matrix, one row a sample.
        labels: (n,) classes, integers or strings, or None.
        names: the class names in the order of their labels' sorted values, for pictures.
        title: what the space is, for pictures.
        images: (n, h, w) pictures of the samples in 0..255, or a function from row numbers to them, or None.
        images_note: how the pictures were made, when they are not the raw data.
        decode_images: the frozen decoder, (k, p) codes -> (k, h, w) pictures in [0, 1], or None.
        decode_labels: the frozen decoder, (k, p) codes -> (k, classes) probabilities, or None.
        classes: (c,) the sorted classes that `names` and `decode_labels` speak of; those of `labels` if left out.

    Raises:
        InputError: `x` is no finite matrix, or what comes with it disagrees in its number of rows.

    >>> Space([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0]], labels=["a", "b", "a"]).x.shape
    (3, 2)
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    names: Sequence[str] | None = None
    title: str = ""
    images: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None
    images_note: str = ""
    decode_images: Callable[[np.ndarray], np.ndarray] | None = None
    decode_labels: Callable[[np.ndarray], np.ndarray] | None = None
    classes: np.ndarray | None = None

    def __post_init__(self):
        object.__setattr__(self, "x", check.matrix(self.x, "x", "Space"))
        if self.labels is not None:
            labels = check.labels(self.labels, "labels", "Space", length=len(self.x))
            classes = np.unique(labels if self.classes is None else np.asarray(self.classes))
            unknown = np.setdiff1d(labels, classes)
            if len(unknown):
                raise check.fail("labels", "Space", f"among the classes {classes.tolist()}", unknown[0])
            object.__setattr__(self, "labels", labels)
            object.__setattr__(self, "classes", classes)
            if self.names is None:
                object.__setattr__(self, "names", tuple(map(str, classes)))
            elif len(self.names) < len(classes):
                raise check.fail("names", "Space", f"one name a class: {len(classes)}", f"{len(self.names)}")
        if isinstance(self.images, np.ndarray) and len(self.images) != len(self.x):
            raise check.fail("images", "Space", f"one image a row: {len(self.x)}", f"{len(self.images)}")

    def __len__(self) -> int:
        return len(self.x)

    def pictures(self, rows: ArrayLike) -> np.ndarray | None:
        """(k, h, w) thumbnails of some rows in 0..255, or None where the space has none."""
        rows = np.asarray(rows, np.int64)
        if self.images is None:
            return None
        return self.images[rows] if isinstance(self.images, np.ndarray) else self.images(rows)

    def take(self, rows: ArrayLike) -> Space:
        """The space restricted to some rows. A part with one class left keeps no labels to be judged by."""
        rows = check.rows(rows, "rows", "take", size=len(self))
        labels = None if self.labels is None else self.labels[rows]
        if labels is not None and len(np.unique(labels)) < 2:
            labels = None
        images = None if self.images is None else lambda some: self.pictures(rows[some])
        kept = {} if labels is not None else {"names": None, "classes": None}
        return replace(self, x=self.x[rows], labels=labels, images=images, **kept)


@dataclass(frozen=True, eq=False)
class Problem:
    """Two spaces to align, the pairs known to be true, and what to judge the result by.

    Args:
        source: the space X of n samples in p dimensions.
        target: the space Y of m samples in q dimensions.
        truth: (k, 2) pairs known to correspond: `sample_pairs` draws from them, and nothing else reads them.
        test: a second problem between the same two models, never seen in training, or None.
        name: of the dataset.

    Raises:
        InputError: `truth` names rows that are not there or repeats a pair, or `test` has other dimensions.
    """

    source: Space
    target: Space
    truth: np.ndarray | None = None
    test: Problem | None = None
    name: str = "yours"

    def __post_init__(self):
        for side in ("source", "target"):
            space = getattr(self, side)
            if not isinstance(space, Space):
                raise check.fail(side, "Problem", "a Space", check.describe(space), "Wrap the array: bv.Space(x).")
        if self.truth is not None:
            truth = check.pair_index(self.truth, "truth", "Problem", shape=self.shape)
            object.__setattr__(self, "truth", truth)
        if self.source.labels is not None and self.target.labels is not None:
            names = ("source.labels", "target.labels")
            check.same_kind(self.source.labels, self.target.labels, names, "Problem")
        if self.test is not None:
            if not isinstance(self.test, Problem):
                raise check.fail("test", "Problem", "a Problem or None", check.describe(self.test))
            ours = (self.source.x.shape[1], self.target.x.shape[1])
            theirs = (self.test.source.x.shape[1], self.test.target.x.shape[1])
            if ours != theirs:
                raise check.fail("test", "Problem", f"between spaces of {ours} dimensions", f"{theirs}")

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.source), len(self.target)

    def sample_pairs(
        self, fraction: float | None = None, *, count: int | None = None, cover_classes: bool = False, seed: int = 0
    ) -> Pairs:
        """Draw paired samples from `truth`, without replacement.

        With the same seed a larger draw contains a smaller one, so that moving the fraction adds pairs and never
        swaps them.

        Args:
            fraction: of the known pairs, in [0, 1]; give this or `count`.
            count: how many pairs.
            cover_classes: start with one pair of each source class (needs labels and at least as many pairs).
            seed: of the draw.

        Raises:
            InputError: nothing is known to be paired, or the draw asks for more or fewer pairs than can be.
        """
        where = "sample_pairs"
        if self.truth is None or len(self.truth) == 0:
            raise InputError(
                "sample_pairs() needs known pairs, and this problem has none. Give Problem(..., truth=pairs), or pass "
                "your pairs to the cost directly."
            )
        known = len(self.truth)
        if (fraction is None) == (count is None):
            given = "neither" if fraction is None else "both"
            raise InputError(f"sample_pairs() needs one of 'fraction' and 'count'. Got {given}.")
        if fraction is not None:
            size = round(check.unit(fraction, "fraction", where, zero=True) * known)
            if size == 0 and fraction > 0:
                expected = f"large enough for one pair: at least {1 / known:.2g} of the {known} known pairs"
                raise check.fail("fraction", where, expected, fraction)
        else:
            size = check.count(count, "count", where, least=0, most=known)
        order = np.random.default_rng(check.seed(seed, "seed", where)).permutation(known)
        if cover_classes:
            if self.source.labels is None:
                raise InputError("sample_pairs(cover_classes=True) needs source labels, and this problem has none.")
            _, first = np.unique(self.source.labels[self.truth[order, 0]], return_index=True)
            if size < len(first):
                name = "count" if fraction is None else "fraction"
                raise check.fail(name, where, f"enough for one pair a class: {len(first)} pairs", f"{size} pairs")
            first = np.sort(first)
            order = np.concatenate([order[first], np.delete(order, first)])
        return Pairs(self.truth[order[:size]], shape=self.shape)

    def sample(self, rows: int, *, seed: int = 0) -> Problem:
        """The problem on at most `rows` random rows a side; known pairs stay together as far as there is room.

        Source rows are drawn first; the target keeps the partners of the drawn rows, and others at random. The test
        split stays as it is.

        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(30, 2))
        >>> problem = Problem(Space(x), Space(x), truth=[[i, i] for i in range(30)])
        >>> problem.sample(10).shape, len(problem.sample(10).truth)
        ((10, 10), 10)
        """
        rows = check.count(rows, "rows", "sample", least=2)
        rng = np.random.default_rng(check.seed(seed, "seed", "sample"))
        n, m = self.shape
        kept_x = np.sort(rng.permutation(n)[:rows])
        truth = np.zeros((0, 2), np.int64) if self.truth is None else self.truth[np.isin(self.truth[:, 0], kept_x)]
        partners = rng.permutation(np.unique(truth[:, 1]))[:rows]
        others = rng.permutation(np.setdiff1d(np.arange(m), partners))[: max(0, rows - len(partners))]
        kept_y = np.sort(np.concatenate([partners, others]))
        truth = truth[np.isin(truth[:, 1], kept_y)]
        moved = np.stack([np.searchsorted(kept_x, truth[:, 0]), np.searchsorted(kept_y, truth[:, 1])], axis=1)
        known = None if self.truth is None else moved
        return Problem(self.source.take(kept_x), self.target.take(kept_y), truth=known, test=self.test, name=self.name)

    def reversed(self) -> Problem:
        """The same problem the other way round: target -> source."""
        truth = None if self.truth is None else self.truth[:, ::-1]
        test = None if self.test is None else self.test.reversed()
        return Problem(self.target, self.source, truth=truth, test=test, name=self.name)
