"""Recordings in Brain-Score's format: a netCDF file of neurons by presentations, averaged over repetitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridgeviz._checks import DataMissing, InputError
from bridgeviz.datasets._formats import _hdf5 as hdf5
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._isolated import read_apart
from bridgeviz.datasets._formats._limits import refuse_large

TITLE = "a netCDF recording"

SLAB = 8
"""Neurons that are read at a time."""

STIMULUS = ("stimulus_id", "image_id")
"""Names of the coordinate that identifies a stimulus: today's, and that of files before 2021."""


class Variable(NamedTuple):
    """One array of a netCDF file.

    Attributes:
        dims: names of its axes.
        shape: their lengths.
        read: (first, last) -> the part with `first <= k < last` on the first axis.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    read: Callable[[int, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Recording:
    """The neurons of one region.

    Attributes:
        responses: (stimuli, neurons) averages over the repetitions, float64.
        stimuli, categories, objects: (stimuli,) what was shown, sorted by the id of the stimulus.
        neurons: (neurons,) their ids.
        counts: (stimuli,) the number of presentations.
    """

    responses: np.ndarray
    stimuli: np.ndarray
    categories: np.ndarray
    objects: np.ndarray
    neurons: np.ndarray
    counts: np.ndarray


def read_recording(path: Path, region: str) -> Recording:
    """The averaged responses of a region.

    The file holds one variable with the axes `neuroid`, `presentation` and, with a single bin, `time_bin`, in any
    order; along them the coordinates `region` and `neuroid_id`, and `stimulus_id` (or `image_id`), `category_name` and
    `object_name`. It is netCDF-4 or netCDF-3. A missing response (NaN) is left out of its average.

    Raises:
        DataMissing: there is no such file.
        InputError: another kind of file, or a region, coordinate or stimulus without data.
    """
    if not path.is_file():
        raise DataMissing(f"The recording {path} is not there.")
    return _averaged(path, region, path.stat().st_mtime_ns)


def read_repetitions(path: Path, region: str) -> np.ndarray:
    """(stimuli, neurons, repetitions) single responses of a region, float32, in the order of `read_recording`.

    NaN where a stimulus was shown less often than others.
    """
    file = File.find(path, None)
    return read_apart(file, f"{__name__}:repetitions", region, title=TITLE)["responses"]


def repetitions(file: File, region: str) -> dict[str, np.ndarray]:
    """The `responses` of `read_repetitions`; runs in a process of its own."""
    with _opened(file) as variables:
        layout = _Layout.of(file.path, variables, region)
        starts = np.concatenate([[0], np.cumsum(layout.counts)])
        refuse_large(file, (len(layout.counts), len(layout.rows), layout.counts.max()), np.dtype(np.float32))
        result = np.full((len(layout.counts), len(layout.rows), layout.counts.max()), np.nan, np.float32)
        for neurons, slab in layout.slabs():
            for stimulus, (start, end) in enumerate(pairwise(starts)):
                result[stimulus, neurons, : end - start] = slab[:, start:end]
    return {"responses": result}


@lru_cache(maxsize=4)
def _averaged(path: Path, region: str, _changed: int) -> Recording:
    return Recording(**read_apart(File.find(path, None), f"{__name__}:averages", region, title=TITLE))


def averages(file: File, region: str) -> dict[str, np.ndarray]:
    """The fields of a `Recording`; runs in a process of its own."""
    path = file.path
    with _opened(file) as variables:
        layout = _Layout.of(path, variables, region)
        starts = np.concatenate([[0], np.cumsum(layout.counts)[:-1]])
        responses = np.zeros((len(starts), len(layout.rows)))
        for neurons, slab in layout.slabs():
            there = np.isfinite(slab)
            total = np.add.reduceat(np.where(there, slab, 0.0), starts, axis=1)
            shown = np.add.reduceat(there, starts, axis=1, dtype=np.int64)
            responses[:, neurons] = np.where(shown > 0, total / np.maximum(shown, 1), np.nan).T
        if not np.isfinite(responses).all():
            stimulus, neuron = np.argwhere(~np.isfinite(responses))[0]
            raise InputError(
                f"{path} must hold a response of each neuron to each stimulus. It has none of neuron "
                f"{layout.neurons[neuron]} to {layout.stimuli[stimulus]}."
            )
        first = layout.order[starts]
        return {
            "responses": responses,
            "stimuli": layout.stimuli,
            "categories": _strings(path, variables, "category_name")[first],
            "objects": _strings(path, variables, "object_name")[first],
            "neurons": layout.neurons,
            "counts": layout.counts,
        }


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the responses of a region are.

    Attributes:
        variable: the responses.
        axes: of neurons, of presentations, and of the time bin where there is one.
        rows: numbers of the region's neurons.
        order: numbers of the presentations, sorted by stimulus.
        stimuli, counts: the distinct stimuli, and how often each was shown.
        neurons: ids of the region's neurons.
    """

    variable: Variable
    axes: tuple[int, ...]
    rows: np.ndarray
    order: np.ndarray
    stimuli: np.ndarray
    counts: np.ndarray
    neurons: np.ndarray

    @classmethod
    def of(cls, path: Path, variables: Mapping[str, Variable], region: str) -> _Layout:
        wanted = {"neuroid", "presentation"}
        candidates = [v for v in variables.values() if wanted <= set(v.dims) <= wanted | {"time_bin"}]
        if len(candidates) != 1:
            got = f"{len(candidates)} such arrays"
            raise InputError(f"{path} must hold one array of neuroid by presentation (by time_bin). It holds {got}.")
        variable = candidates[0]
        axes = tuple(
            variable.dims.index(name) for name in ("neuroid", "presentation", "time_bin") if name in variable.dims
        )
        if len(axes) == 3 and variable.shape[axes[2]] != 1:
            raise InputError(f"{path} must have one time bin. It has {variable.shape[axes[2]]}: average them first.")
        regions = _strings(path, variables, "region")
        rows = np.flatnonzero(regions == region)
        if len(rows) == 0:
            raise InputError(f"{path} must have neurons of region {region}. It has {', '.join(np.unique(regions))}.")
        key = next((name for name in STIMULUS if name in variables), STIMULUS[0])
        shown = _strings(path, variables, key)
        stimuli, counts = np.unique(shown, return_counts=True)
        order = np.argsort(shown, kind="stable")
        return cls(variable, axes, rows, order, stimuli, counts, _strings(path, variables, "neuroid_id")[rows])

    def slabs(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(numbers among the region's neurons, (k, presentations) responses sorted by stimulus), a few at a time."""
        if self.axes[0] != 0:  # neurons are not the first axis: reading slabs of them would read the file often
            whole = self._neurons_first(self.variable.read(0, self.variable.shape[0]))
        for start in range(0, len(self.rows), SLAB):
            numbers = np.arange(start, min(start + SLAB, len(self.rows)))
            rows = self.rows[numbers]
            if self.axes[0] == 0:
                part = self._neurons_first(self.variable.read(rows[0], rows[-1] + 1))[rows - rows[0]]
            else:
                part = whole[rows]
            yield numbers, np.asarray(part, np.float64)[:, self.order]

    def _neurons_first(self, part: np.ndarray) -> np.ndarray:
        moved = np.transpose(part, self.axes)
        return moved[..., 0] if moved.ndim == 3 else moved


def _strings(path: Path, variables: Mapping[str, Variable], name: str) -> np.ndarray:
    """A coordinate as strings; netCDF-3 stores each of them as a row of characters."""
    if name not in variables:
        raise InputError(f"{path} must have the coordinate '{name}'. It has: {', '.join(sorted(variables))[:200]}.")
    values = variables[name].read(0, variables[name].shape[0])
    if values.dtype.kind == "S" and values.ndim == 2:
        values = np.array([b"".join(row).rstrip(b"\0 ") for row in values])
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    return np.array([value.decode() if isinstance(value, bytes) else str(value) for value in values])


@contextmanager
def _opened(file: File) -> Iterator[Mapping[str, Variable]]:
    """The arrays of a netCDF file by name."""
    with file.open() as stream:
        start = stream.read(8)
    if start[:3] == b"CDF":
        with _opened_3(file) as variables:
            yield variables
    elif start == hdf5.SIGNATURE:
        with _opened_4(file) as variables:
            yield variables
    else:
        raise InputError(f"{file} must be a netCDF file. It begins with other bytes.")


@contextmanager
def _opened_3(file: File) -> Iterator[Mapping[str, Variable]]:
    from scipy.io import netcdf_file

    refuse_large(file, (file.size,), np.dtype("S1"))  # it is read as a whole
    with netcdf_file(file.path, "r", mmap=False) as stored:
        yield {
            name: Variable(tuple(v.dimensions), tuple(v.shape), lambda a, b, v=v: np.array(v.data[a:b]))
            for name, v in stored.variables.items()
            if v.shape
        }


@contextmanager
def _opened_4(file: File) -> Iterator[Mapping[str, Variable]]:
    with hdf5.opened(file) as root:
        stored = {name: hdf5.child(root, name, file) for name in root}
        yield {name: _variable_4(file, node) for name, node in stored.items() if getattr(node, "shape", None)}


def _variable_4(file: File, stored: Any) -> Variable:
    """One array of an HDF5 file. Its axes have the names of the dimension scales that netCDF attaches to them."""
    import h5py  # pyright: ignore[reportMissingImports]

    text = h5py.check_string_dtype(stored.dtype) is not None
    refuse_large(file, stored.shape, np.dtype("S64") if text else stored.dtype, stored=stored.id.get_storage_size())
    dims = [axis[0].name.rpartition("/")[2] if len(axis) else "" for axis in stored.dims]
    if not any(dims) and stored.is_scale:  # a coordinate is the scale of its own axis
        dims = [stored.name.rpartition("/")[2]]
    return Variable(tuple(dims), stored.shape, lambda a, b: (stored.asstr() if text else stored)[a:b])
