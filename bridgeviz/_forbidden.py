"""Forbidden matches: where a cost is infinite, so that no mass may go there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True, eq=False)
class Forbidden:
    """Which of the n x m matches are forbidden.

    Rows that are forbidden alike share a code, so that this takes the memory of a small table: two forbidden classes
    among a million rows are a table of 2 x 2.

    Attributes:
        source, target: (n,) and (m,) the code of each row.
        table: (s, t) by code, sparse, with True where a match is forbidden.

    >>> forbidden = Forbidden.classes([("cat", "dog")], ["cat", "dog", "cat"], ["dog", "cat"])
    >>> forbidden.block([0, 1, 2], [0, 1])
    array([[ True, False],
           [False, False],
           [ True, False]])
    """

    source: Int[np.ndarray, " n"]
    target: Int[np.ndarray, " m"]
    table: sparse.csr_array

    @classmethod
    def matches(cls, value: Any, *, shape: tuple[int, int], where: str = "forbid") -> Forbidden:
        """Forbidden matches of rows.

        Args:
            value: an (n, m) boolean mask, dense or sparse, or (k, 2) row numbers (source, target).
            shape: (n, m).
            where: the function that errors name.
        """
        from scipy import sparse

        mask: Any = None
        if sparse.issparse(value):
            mask = sparse.csr_array(sparse.csr_array(value) != 0)
        else:
            array = np.asarray(value) if isinstance(value, (list, np.ndarray)) else np.zeros(0)
            if array.dtype == bool and array.ndim == 2:
                mask = sparse.csr_array(array)
        if mask is not None and mask.shape != shape:
            raise check.fail("forbidden", where, f"a mask of shape {shape}", f"shape {mask.shape}")
        pattern = _of_rows(value, shape, where) if mask is None else mask
        return _reduced(pattern, np.arange(shape[0]), np.arange(shape[1]))

    @classmethod
    def classes(
        cls, pairs: Iterable[tuple[Any, Any]], source_labels: ArrayLike, target_labels: ArrayLike, *,
        where: str = "forbid",
    ) -> Forbidden:  # fmt: skip
        """Forbidden matches of classes.

        Args:
            pairs: (class of the source, class of the target) that may not be matched.
            source_labels: (n,).
            target_labels: (m,).
            where: the function that errors name.
        """
        sides = ("source", "target")
        labels = [
            check.labels(value, f"{side}_labels", where, least=1)
            for side, value in zip(sides, (source_labels, target_labels), strict=True)
        ]
        known = [np.unique(side) for side in labels]
        numbers = [{name: k for k, name in enumerate(side.tolist())} for side in known]
        try:
            named = [tuple(pair) for pair in pairs]
        except TypeError:
            raise check.fail("classes", where, "pairs of classes", check.describe(pairs)) from None
        at = []
        for pair in named:
            if len(pair) != 2:
                raise check.fail("classes", where, "pairs (class of the source, class of the target)", repr(pair))
            names = [name.item() if isinstance(name, np.generic) else name for name in pair]
            for side, name, number in zip(sides, names, numbers, strict=True):
                if name not in number:
                    listed = ", ".join(map(repr, list(number)[:10])) + (", ..." if len(number) > 10 else "")
                    raise check.fail("classes", where, f"made of the {side}'s classes ({listed})", repr(name))
            at.append([number[name] for name, number in zip(names, numbers, strict=True)])
        codes = [np.searchsorted(classes, side) for classes, side in zip(known, labels, strict=True)]
        return _reduced(_pattern(np.array(at, int).reshape(-1, 2), (len(known[0]), len(known[1]))), *codes)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.source), len(self.target)

    @property
    def kinds(self) -> tuple[int, int]:
        """(s, t): the numbers of codes."""
        table: Any = self.table
        return table.shape

    def block(self, rows: ArrayLike, columns: ArrayLike) -> Bool[np.ndarray, "r c"]:
        """Which matches of the given rows are forbidden."""
        codes, at = np.unique(self.source[np.asarray(rows)], return_inverse=True)
        return self.table[codes].toarray()[at][:, self.target[np.asarray(columns)]]

    def among(self, pairs: Int[np.ndarray, "l 2"]) -> Bool[np.ndarray, " l"]:
        """Which of the pairs of rows are forbidden."""
        s, t = self.kinds
        keys = np.repeat(np.arange(s), np.diff(self.table.indptr)) * t + self.table.indices
        return np.isin(self.source[pairs[:, 0]] * t + self.target[pairs[:, 1]], keys)

    def take(self, rows: np.ndarray, columns: np.ndarray) -> Forbidden:
        """The same between some of the rows."""
        return Forbidden(self.source[rows], self.target[columns], self.table)

    def permitted(
        self, rows: np.ndarray, columns: np.ndarray, *, pairs: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Those of the source rows and of the target rows that have a permitted match among one another.

        Args:
            rows, columns: row numbers of both sides.
            pairs: (l, 2) rows that stay in any case.
        """
        stay = np.zeros((0, 2), np.int64) if pairs is None else pairs
        while True:
            part = self.take(rows, columns)
            a, b = part.by_code(np.ones(len(rows)), np.ones(len(columns)))
            source = (part.table @ b < len(columns))[part.source] | np.isin(rows, stay[:, 0])
            target = (part.table.T @ a < len(rows))[part.target] | np.isin(columns, stay[:, 1])
            if source.all() and target.all():
                return rows, columns
            rows, columns = rows[source], columns[target]

    def reversed(self) -> Forbidden:
        """The same from target to source."""
        from scipy import sparse

        return Forbidden(self.target, self.source, sparse.csr_array(self.table.T))

    def __or__(self, other: Forbidden) -> Forbidden:
        """What either of the two forbids."""
        from scipy import sparse

        ours, theirs, codes = [], [], []
        for a, b in ((self.source, other.source), (self.target, other.target)):
            both, code = np.unique(np.stack([a, b]), axis=1, return_inverse=True)
            ours.append(both[0])
            theirs.append(both[1])
            codes.append(code.reshape(-1))
        table = self.table[ours[0]][:, ours[1]] + other.table[theirs[0]][:, theirs[1]]
        return Forbidden(codes[0], codes[1], sparse.csr_array(table))

    def mass(self, source: np.ndarray, target: np.ndarray) -> float:
        """The share of the matches that are forbidden, for rows that weigh (n,) `source` and (m,) `target`."""
        a, b = self.by_code(source, target)
        return float(a @ (self.table @ b))

    def by_code(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(s,) and (t,) the weights of the rows of each code."""
        s, t = self.kinds
        return np.bincount(self.source, source, minlength=s), np.bincount(self.target, target, minlength=t)


def as_forbidden(value: Any, *, shape: tuple[int, int], where: str) -> Forbidden:
    """`value` itself if it is `Forbidden` of this shape; a mask or row numbers are converted."""
    if not isinstance(value, Forbidden):
        return Forbidden.matches(value, shape=shape, where=where)
    if value.shape != shape:
        raise check.fail("forbidden", where, f"of shape {shape}", f"shape {value.shape}")
    return value


def refuse_forbidden_pairs(forbidden: Forbidden, pairs: np.ndarray, where: str, name: str = "forbidden") -> None:
    """An error if any of the pairs of rows that are known to match is forbidden."""
    wrong = np.flatnonzero(forbidden.among(np.asarray(pairs)))
    if len(wrong):
        first = tuple(int(row) for row in pairs[wrong[0]])
        count = len(wrong) - 1
        others = f" and {count} other{'s' * (count > 1)}" if count else ""
        raise check.fail(name, where, "free of the pairs, which match", f"the pair {first}{others}")


def _of_rows(value: Any, shape: tuple[int, int], where: str) -> sparse.csr_array:
    """The (n, m) pattern of (k, 2) row numbers."""
    try:
        pairs = check.pair_index(value, "forbidden", where, shape=shape)
    except check.InputError as error:
        hint = f"It can also be a boolean mask of shape {shape}."
        raise check.InputError(f"{error} {hint}") from None
    return _pattern(pairs, shape)


def _pattern(pairs: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """True at the given entries of an array of this shape."""
    from scipy import sparse

    at = np.unique(pairs, axis=0)
    return sparse.csr_array((np.ones(len(at), bool), (at[:, 0], at[:, 1])), shape=shape)


def _reduced(pattern: sparse.csr_array, source: np.ndarray, target: np.ndarray) -> Forbidden:
    """What the (s, t) pattern between the codes of the rows forbids, with one code for what it forbids alike.

    Code 0 is for what it does not forbid at all.
    """
    from scipy import sparse

    pattern.sort_indices()
    first, row = _alike(pattern)
    turned = sparse.csr_array(pattern.T)
    turned.sort_indices()
    column_first, column = _alike(turned)
    table = sparse.coo_array(pattern[first][:, column_first])
    i, j = table.coords
    table = sparse.csr_array(
        (np.ones(len(i), bool), (i + 1, j + 1)), shape=(len(first) + 1, len(column_first) + 1)
    )  # fmt: skip
    return Forbidden(row[source], column[target], table)


def _alike(pattern: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each kind, and the kind of every row, from 1; rows without an entry are of kind 0."""
    ends, indices = pattern.indptr, pattern.indices
    kinds: dict[bytes, int] = {}
    kind, first = np.zeros(len(ends) - 1, np.int64), []
    for row in np.flatnonzero(np.diff(ends)):
        key = indices[ends[row] : ends[row + 1]].tobytes()
        if key not in kinds:
            kinds[key] = len(kinds) + 1
            first.append(row)
        kind[row] = kinds[key]
    return np.array(first, np.int64), kind
