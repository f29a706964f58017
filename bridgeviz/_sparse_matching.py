"""The cheapest one-to-one plan on a matrix that stores few of its entries, by shortest augmenting paths.

This module imports numba, so it is itself imported only where a problem repays that.
"""

from __future__ import annotations

import heapq
from typing import no_type_check

import numpy as np
from scipy import sparse

from bridgeviz._compiled import compiled


class Matching:
    """Rows and the columns that they are matched with; a column takes as many rows as it has places.

    It keeps potentials g of the columns with which no stored entry of a matched row is below its match:
    `C[i, j] - g[j] >= paid[i] - g[columns[i]]`. So no other plan of the matched rows on the stored entries is cheaper,
    and entries may be added later without a new start. As in the algorithms of Jonker and Volgenant (1987), each row
    that is still free finds its column along the shortest alternating path; sums are floating-point numbers, and ties
    cost nothing.

    Attributes:
        columns: (u,) of the rows; -1 for a row without one.
        paid: (u,) the entries of the matches.
        g: (v,) potentials of the columns.
        starts: (v + 1,) the first place of each column.
        rows: the row at each place; the first `held[j]` places of a column are taken.
        places: (u,) of the rows.
        held: (v,) the rows that each column has.
    """

    def __init__(self, rows: int, room: np.ndarray, g: np.ndarray):
        """No matches yet.

        Args:
            rows: how many.
            room: (v,) the places of each column, at least as many as rows in all.
            g: potentials to start from; not read where there are more places than rows.
        """
        self.columns, self.paid, self.places = np.full(rows, -1), np.zeros(rows), np.full(rows, -1)
        self.starts = np.concatenate([[0], np.cumsum(room)]).astype(np.int64)
        self.rows, self.held = np.full(self.starts[-1], -1), np.zeros(len(room), np.int64)
        self.g = g.astype(np.float64) if len(self.rows) == rows else np.zeros(len(room))

    @property
    def room(self) -> np.ndarray:
        """(v,) the places of each column that are left."""
        return np.diff(self.starts) - self.held

    def extend(self, entries: sparse.csr_array) -> np.ndarray:
        """Match all rows on these entries, which hold those of the matches so far; returns the rows that find none."""
        matrix = entries.indptr.astype(np.int64), entries.indices.astype(np.int64), entries.data
        state = (self.g, self.columns, self.paid, self.places, self.starts, self.rows, self.held)
        _release(*matrix, *state)
        # Where places remain in the end, a column that has one left must have the largest potential, 0.
        while len(self.rows) > len(self.columns) and (left := (self.room > 0) & (self.g < 0)).any():
            self.g[left] = 0.0
            _release(*matrix, *state)
        return _augment(*matrix, *state)


@compiled
@no_type_check
def _release(indptr, indices, data, g, columns, paid, places, starts, rows, held):
    """Free the rows that have an entry below their match."""
    for i in range(len(columns)):
        j = columns[i]
        if j < 0:
            continue
        least = np.inf
        for k in range(indptr[i], indptr[i + 1]):
            least = min(least, data[k] - g[indices[k]])
        if least < paid[i] - g[j]:
            held[j] -= 1
            last = rows[starts[j] + held[j]]
            rows[places[i]], places[last] = last, places[i]
            columns[i] = -1


@compiled
@no_type_check
def _augment(indptr, indices, data, g, columns, paid, places, starts, rows, held):
    """Match each free row along the shortest path to a column with a place; returns those without such a path."""
    v = len(g)
    lengths, through, entry = np.full(v, np.inf), np.empty(v, np.int64), np.empty(v)
    final = np.zeros(v, np.bool_)
    reached, settled = np.empty(v, np.int64), np.empty(v, np.int64)
    alone, count = np.empty(len(columns), np.int64), 0
    heap = [(0.0, 0)]
    for s in range(len(columns)):
        if columns[s] >= 0:
            continue
        heap.clear()
        seen, done, end, least = 0, 0, -1, np.inf
        j, length = -1, 0.0
        while True:
            # All rows of the column that was reached last, or the free row, go on to their other columns.
            first, last = (0, 1) if j < 0 else (starts[j], starts[j] + held[j])
            for place in range(first, last):
                i = s if j < 0 else rows[place]
                so_far = 0.0 if j < 0 else length - (paid[i] - g[j])
                for k in range(indptr[i], indptr[i + 1]):
                    to = indices[k]
                    total = so_far + data[k] - g[to]
                    if total < least and total < lengths[to] and not final[to]:
                        if lengths[to] == np.inf:
                            reached[seen] = to
                            seen += 1
                        lengths[to], through[to], entry[to] = total, i, data[k]
                        if held[to] < starts[to + 1] - starts[to]:
                            end, least = to, total
                        else:
                            heapq.heappush(heap, (total, to))
            j = -1
            while len(heap) > 0 and j < 0:
                length, j = heapq.heappop(heap)
                if length >= least:
                    heap.clear()
                    j = -1
                elif final[j] or length > lengths[j]:
                    j = -1
            if j < 0:
                break
            final[j] = True
            settled[done] = j
            done += 1
        if end < 0:
            alone[count] = s
            count += 1
        else:
            for k in range(done):
                g[settled[k]] += lengths[settled[k]] - least
            place = starts[end] + held[end]
            held[end] += 1
            to, i = end, -1
            while i != s:
                i = through[to]
                before, left = columns[i], places[i]
                columns[i], places[i], paid[i], rows[place] = to, place, entry[to], i
                to, place = before, left
        for k in range(seen):
            lengths[reached[k]] = np.inf
            final[reached[k]] = False
    return alone[:count].copy()
