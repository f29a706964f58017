"""The nouns: what is being aligned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._weights import weights

if TYPE_CHECKING:
    from bridgeviz._forbidden import Forbidden


class Pairs(np.ndarray):
    """The paired samples P: an (l, 2) integer array of (source row, target row).

    >>> import numpy as np
    >>> pairs = Pairs([[0, 3], [2, 1]], shape=(4, 4))
    >>> pairs.source, len(pairs)
    (array([0, 2]), 2)
    """

    def __new__(cls, index: ArrayLike, *, shape: tuple[int, int]) -> Pairs:
        """Check `index` against the (n, m) of the problem."""
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
    """A latent space: n samples of one frozen model.

    Args:
        x: (n, p) real matrix with one row per sample.
        labels: (n,) classes, integers or strings, or None; a Series is joined to a DataFrame `x` by their index.
        names: class names for figures, in the order of the sorted classes.
        title: name of the space for figures.
        images: (n, h, w) pictures of the samples in 0..255, a function from row numbers to such pictures, or None.
        images_note: how the pictures were made, if they are not the raw data.
        decode_images: the frozen decoder, (k, p) codes -> (k, h, w) pictures in [0, 1], or None.
        decode_labels: the frozen decoder, (k, p) codes -> (k, classes) probabilities, or None.
        classes: (c,) sorted classes, to which `names` and the columns of `decode_labels` refer; those of `labels` if
            None.
        neurons: whether the columns are recorded neurons: a run towards them reports how well each one is predicted.
        weights: (n,) how much of the mass each row carries in a coupling: non-negative, finite, not all zero; divided
            by their sum. Rows of weight zero carry none, but still shape the costs. None: all rows carry the same.

    Raises:
        InputError: `x` is not a finite matrix, or `labels`, `images` or `weights` have another number of rows or are
            not what they must be.

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
    neurons: bool = False
    weights: np.ndarray | None = None

    def __post_init__(self):
        given = self.x
        check.flag(self.neurons, "neurons", "Space")
        object.__setattr__(self, "x", check.matrix(given, "x", "Space"))
        if self.labels is not None:
            labels = check.aligned(self.labels, given, "labels", "Space")
            labels = check.labels(labels, "labels", "Space", length=len(self.x))
            classes = np.unique(labels if self.classes is None else np.asarray(self.classes))
            unknown = np.setdiff1d(labels, classes)
            if len(unknown):
                raise check.fail("labels", "Space", f"among the classes {classes.tolist()}", unknown[0])
            object.__setattr__(self, "labels", labels)
            object.__setattr__(self, "classes", classes)
            if self.names is None:
                object.__setattr__(self, "names", tuple(map(str, classes)))
            elif len(self.names) < len(classes):
                raise check.fail("names", "Space", f"one name per class, {len(classes)} in total", f"{len(self.names)}")
        if self.weights is not None:
            values = check.aligned(self.weights, given, "weights", "Space")
            object.__setattr__(self, "weights", weights(values, "weights", "Space", length=len(self.x)))
        if isinstance(self.images, np.ndarray) and len(self.images) != len(self.x):
            raise check.fail("images", "Space", f"one image per row, {len(self.x)} in total", f"{len(self.images)}")

    def __len__(self) -> int:
        return len(self.x)

    def pictures(self, rows: ArrayLike) -> np.ndarray | None:
        """(k, h, w) thumbnails of some rows in 0..255, or None if the space has no pictures."""
        rows = np.asarray(rows, np.int64)
        if self.images is None:
            return None
        return self.images[rows] if isinstance(self.images, np.ndarray) else self.images(rows)

    def take(self, rows: ArrayLike) -> Space:
        """The space restricted to some rows, whose weights are divided by their sum.

        If the rows are all of one class, the part has no labels.
        """
        rows = check.rows(rows, "rows", "take", size=len(self))
        labels = None if self.labels is None else self.labels[rows]
        if labels is not None and len(np.unique(labels)) < 2:
            labels = None
        images = None if self.images is None else lambda chosen: self.pictures(rows[chosen])
        changes = {} if labels is not None else {"names": None, "classes": None}
        kept = None if self.weights is None else self.weights[rows]
        return replace(self, x=self.x[rows], labels=labels, images=images, weights=kept, **changes)


@dataclass(frozen=True, eq=False)
class Problem:
    """Two spaces to align, the pairs that are known to correspond, and a test split.

    Args:
        source: the space X of n samples in p dimensions.
        target: the space Y of m samples in q dimensions.
        truth: (k, 2) pairs known to correspond. `sample_pairs` draws from them; the alignment never reads the others.
        test: a second problem between the same two models, never used in training, or None.
        name: name of the data set.
        forbidden: matches that may carry no mass: an (n, m) boolean mask, (k, 2) row numbers (source, target), or
            `bv.costs.Forbidden.classes(...)` for whole classes. None: all matches are permitted.

    Raises:
        InputError: `truth` or `forbidden` refers to rows that do not exist, `truth` repeats a pair, or `test` has other
            dimensions.
    """

    source: Space
    target: Space
    truth: np.ndarray | None = None
    test: Problem | None = None
    name: str = "yours"
    forbidden: Forbidden | None = None

    def __post_init__(self):
        for side in ("source", "target"):
            space = getattr(self, side)
            if not isinstance(space, Space):
                raise check.fail(side, "Problem", "a Space", check.describe(space), "Wrap the array: bv.Space(x).")
        if self.truth is not None:
            truth = check.pair_index(self.truth, "truth", "Problem", shape=self.shape)
            object.__setattr__(self, "truth", truth)
        if self.forbidden is not None:
            from bridgeviz._forbidden import as_forbidden  # it reads scipy.sparse

            forbidden = as_forbidden(self.forbidden, shape=self.shape, where="Problem")
            object.__setattr__(self, "forbidden", forbidden)
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

        With the same seed, a larger draw contains every smaller one: raising the fraction adds pairs and replaces none.

        Args:
            fraction: share of the known pairs, in [0, 1]; pass this or `count`.
            count: number of pairs.
            cover_classes: start with one pair of each source class (needs labels and at least as many pairs).
            seed: determines the draw.

        Raises:
            InputError: the problem has no known pairs, or too few or too many pairs are requested.
        """
        where = "sample_pairs"
        if self.truth is None or len(self.truth) == 0:
            raise InputError(
                "sample_pairs() needs known pairs, and this problem has none. Pass Problem(..., truth=pairs), or pass "
                "your pairs to the cost directly."
            )
        known = len(self.truth)
        if (fraction is None) == (count is None):
            passed = "neither" if fraction is None else "both"
            raise InputError(f"sample_pairs() needs one of 'fraction' and 'count'. Got {passed}.")
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
                raise check.fail(name, where, f"enough for one pair per class: {len(first)} pairs", f"{size} pairs")
            first = np.sort(first)
            order = np.concatenate([order[first], np.delete(order, first)])
        return Pairs(self.truth[order[:size]], shape=self.shape)

    def unused(self, pairs: ArrayLike | None) -> Pairs:
        """The known pairs that are not among `pairs`: those that an alignment built on `pairs` can be judged by.

        >>> x = Space([[0.0], [1.0], [2.0]])
        >>> Problem(x, x, truth=[[0, 0], [1, 1], [2, 2]]).unused([[1, 1]]).source
        array([0, 2])
        """
        known = np.zeros((0, 2), np.int64) if self.truth is None else np.asarray(self.truth)
        used = np.zeros((0, 2), np.int64) if pairs is None else np.asarray(pairs, np.int64).reshape(-1, 2)
        code = [self.shape[1], 1]
        return Pairs(known[~np.isin(known @ code, used @ code)], shape=self.shape)

    def sample(self, rows: int, *, seed: int = 0) -> Problem:
        """The problem restricted to at most `rows` random rows per side.

        The source rows are drawn first. The target takes their partners, as far as they fit, and fills up with random
        rows. Rows of weight zero are drawn last, and rows without a permitted match in the sample are left out. The
        test split is unchanged.

        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(30, 2))
        >>> problem = Problem(Space(x), Space(x), truth=[[i, i] for i in range(30)])
        >>> problem.sample(10).shape, len(problem.sample(10).truth)
        ((10, 10), 10)
        """
        rows = check.count(rows, "rows", "sample", least=2)
        rng = np.random.default_rng(check.seed(seed, "seed", "sample"))
        n, m = self.shape
        x_rows = np.sort(_weightless_last(rng.permutation(n), self.source)[:rows])
        truth = np.zeros((0, 2), np.int64) if self.truth is None else self.truth[np.isin(self.truth[:, 0], x_rows)]
        partners = _weightless_last(rng.permutation(np.unique(truth[:, 1])), self.target)[:rows]
        others = _weightless_last(rng.permutation(np.setdiff1d(np.arange(m), partners)), self.target)
        others = others[: max(0, rows - len(partners))]
        y_rows = np.sort(np.concatenate([partners, others]))
        return self.part(x_rows, y_rows)

    def part(self, rows: np.ndarray, columns: np.ndarray) -> Problem:
        """The problem between some source rows and some target rows, both sorted, with the known pairs among them.

        Rows that have no permitted match left are left out as well, unless they belong to such a pair.
        """
        truth, forbidden = self.truth, self.forbidden
        if truth is not None:
            truth = truth[np.isin(truth[:, 0], rows) & np.isin(truth[:, 1], columns)]
        if forbidden is not None:
            rows, columns = forbidden.permitted(rows, columns, pairs=truth)
            forbidden = forbidden.take(rows, columns)
        if truth is not None:
            truth = np.stack([np.searchsorted(rows, truth[:, 0]), np.searchsorted(columns, truth[:, 1])], axis=1)
        return replace(
            self, source=self.source.take(rows), target=self.target.take(columns), truth=truth, forbidden=forbidden
        )

    def forbid(self, forbidden: ArrayLike | Forbidden, *, where: str = "forbid") -> Problem:
        """The same problem, with these matches forbidden in addition to those that are.

        Args:
            forbidden: as in `Problem`.
            where: the function that errors name.
        """
        from bridgeviz._forbidden import as_forbidden

        more = as_forbidden(forbidden, shape=self.shape, where=where)
        return replace(self, forbidden=more if self.forbidden is None else self.forbidden | more)

    def reversed(self) -> Problem:
        """The same problem in the other direction, target -> source."""
        truth = None if self.truth is None else self.truth[:, ::-1]
        test = None if self.test is None else self.test.reversed()
        forbidden = None if self.forbidden is None else self.forbidden.reversed()
        return Problem(self.target, self.source, truth=truth, test=test, name=self.name, forbidden=forbidden)


def _weightless_last(rows: np.ndarray, space: Space) -> np.ndarray:
    """Row numbers in the same order, but with those of weight zero at the end."""
    return rows if space.weights is None else rows[np.argsort(space.weights[rows] == 0, kind="stable")]
