"""A user's files: uploaded or named by their path, read with what is wrong said beside them, and kept under a key."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from bridgeviz import InputError
from bridgeviz.datasets import files, keeping
from bridgeviz.ui.state import owner, values
from bridgeviz.ui.text import literal

OWN_DATA = "own_data"
"""The setting that names the data."""

_KEPT, _EXAMPLE, _ROUND = "_brought", "_example", "_bring_round"


@dataclass(frozen=True)
class Role:
    """What a file is for.

    Attributes:
        name: as in `keeping.Kept.files`.
        label: of its control.
        holds: what the file holds: "matrix", "pairs" or "labels".
        help: for its control.
        folded: the title under which its control is folded away; "" if nothing can be read without the file.
    """

    name: str
    label: str
    holds: str
    help: str
    folded: str = ""

    @property
    def needed(self) -> bool:
        """Whether nothing can be read without it."""
        return not self.folded


_LABELS, _RESTRICTIONS = "Labels (optional)", "Weights and forbidden matches (optional)"
_PER_ROW = "One label per row, for judging and colouring."
_WEIGHT = "One number >= 0 per row: how much of the mass it carries. Without a file, all rows carry the same."
_FORBIDDEN_ROWS = "Rows that may not match, in a file like that of the pairs."
_FORBIDDEN_CLASSES = (
    "Classes that may not match: the columns source and target, with one pair of labels per row. It needs the labels "
    "of both sides."
)

ROLES = (
    Role("source", "Source", "matrix", "One row per sample, one column per feature: the space to start from."),
    Role("target", "Target", "matrix", "One row per sample: the space to arrive in. Its size may be another one."),
    Role("pairs", "Pairs", "pairs", "The columns source and target: row numbers from 0, or the names of the rows."),
    Role("source labels", "Labels of the source", "labels", _PER_ROW, _LABELS),
    Role("target labels", "Labels of the target", "labels", _PER_ROW, _LABELS),
    Role("source weights", "Weights of the source", "labels", _WEIGHT, _RESTRICTIONS),
    Role("target weights", "Weights of the target", "labels", _WEIGHT, _RESTRICTIONS),
    Role("forbidden", "Forbidden pairs of rows", "pairs", _FORBIDDEN_ROWS, _RESTRICTIONS),
    Role("forbidden classes", "Forbidden pairs of classes", "pairs", _FORBIDDEN_CLASSES, _RESTRICTIONS),
)


def bring() -> str | None:
    """Controls for the files; the key of the data that were read, or None before that."""
    ways = ["Upload", "Files on this machine"] if owner.current() == "" else ["Upload"]
    way = ways[0]
    if len(ways) > 1:
        way = st.segmented_control("Where are your files?", ways, default=ways[0], required=True, key="bring_from")
    chosen = _uploads() if way == ways[0] else _paths()
    st.button(
        "Try it with example files", on_click=_use_example, type="tertiary", icon=":material/science:", key="example",
        help="786 cells, each measured in two ways, with 120 known pairs (SNARE-seq).",
    )  # fmt: skip
    if any(chosen[role.name] for role in ROLES):
        st.session_state.pop(_EXAMPLE, None)
    elif _EXAMPLE in st.session_state:
        return st.session_state[_EXAMPLE]
    missing = [role.label.lower() for role in ROLES if role.needed and not chosen[role.name]]
    if missing:
        if len(missing) < 3:
            st.caption(f"Still missing: {' and '.join(missing)}.")
        return None
    return _read(chosen)


def _uploads() -> Mapping[str, tuple | None]:
    """By role, (identity, name, bytes) of the file that was uploaded."""

    def control(role: Role):
        upload = st.file_uploader(
            role.label, type=[kind.removeprefix(".") for kind in files.kinds(role.holds)], help=role.help,
            key=f"upload_{role.name}_{st.session_state.get(_ROUND, 0)}",
        )  # fmt: skip
        return None if upload is None else (upload.file_id, upload.name, upload)

    return _controls(control)


def _paths() -> Mapping[str, tuple | None]:
    """By role, (identity, path, None) of the file that is named; a file that has changed has another identity."""

    def control(role: Role):
        text = st.text_input(
            role.label, key=f"path_{role.name}", placeholder="path of a file",
            help=f"{role.help} A part of a file is named behind two colons: `cells.h5ad::obsm/X_pca`.",
        ).strip()  # fmt: skip
        return (_identity(text), text, None) if text else None

    return _controls(control)


def _identity(path: str) -> tuple:
    """What tells a file from an earlier one at the same path; nothing does if it can't be found."""
    try:
        about = files.split_key(path)[0].stat()
    except (OSError, ValueError, InputError):
        return path, object()
    return path, about.st_mtime_ns, about.st_size


def _controls(control: Callable[[Role], tuple | None]) -> dict[str, tuple | None]:
    chosen = {}

    def place(title: str, columns: int) -> None:
        roles = [role for role in ROLES if role.folded == title]
        for row in range(0, len(roles), columns):
            for column, role in zip(st.columns(columns), roles[row : row + columns], strict=True):
                with column:
                    chosen[role.name] = control(role)

    place("", 3)
    for title in (_LABELS, _RESTRICTIONS):
        with st.expander(title):
            place(title, 2)
    return chosen


def _read(chosen: Mapping[str, tuple | None]) -> str | None:
    """The key of the files; what was read for the same files before is not read again."""
    identity = tuple((name, entry and entry[:2]) for name, entry in sorted(chosen.items()))
    known = st.session_state.get(_KEPT)
    if known is not None and known[0] == identity:
        return _said(*known[1:])
    with st.spinner("Reading the files …"), tempfile.TemporaryDirectory() as folder:
        paths = {name: _path(Path(folder), name, entry) for name, entry in chosen.items() if entry is not None}
        try:
            outcome = keep_files(paths, {name: entry[1] for name, entry in chosen.items() if entry is not None}), None
        except InputError as error:
            outcome = None, _without(str(error), folder)
    st.session_state[_KEPT] = (identity, *outcome)
    return _said(*outcome)


def _said(key: str | None, message: str | None) -> str | None:
    if message is not None:
        st.error(literal(message), icon=":material/error:")
    return key


def _path(folder: Path, role: str, entry: tuple) -> str:
    """The path of a file; an uploaded one is written to a folder of its own under a harmless name."""
    _, name, upload = entry
    if upload is None:
        return name
    own = folder / role.replace(" ", "_")
    own.mkdir()
    path = own / (re.sub(r"[^\w.\- ]", "_", Path(name).name)[-100:] or "file")
    path.write_bytes(upload.getbuffer())
    return str(path)


def _without(message: str, folder: str) -> str:
    """A message without the folder to which uploads are written."""
    return re.sub(re.escape(folder) + r"/\w+/", "", message)


def keep_files(paths: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Read files and keep what they hold; returns the key.

    Args:
        paths: of the files by role.
        names: what the user calls them, by role.

    Raises:
        InputError: a file that can't be read, or that doesn't fit the others.
    """
    more = {role.name.replace(" ", "_"): paths.get(role.name) for role in ROLES if not role.needed}
    inputs = files.read_problem(paths["source"], paths["target"], paths["pairs"], **more)
    source, target = (
        replace(getattr(inputs.problem, side), title=Path(names[side]).name) for side in ("source", "target")
    )
    problem = replace(inputs.problem, source=source, target=target, truth=inputs.pairs, name="yours")
    used = {role: names[role] for role in paths}
    return keeping.keep(keeping.Kept(problem=problem, rows=inputs.names, files=used))


def _use_example() -> None:
    """Read example files as if they had been brought; a callback."""
    from bridgeviz.datasets import load

    problem = load("snare-seq")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "chromatin.npy", problem.source.x)
        np.save(folder / "expression.npy", problem.target.x)
        np.save(folder / "pairs.npy", np.asarray(problem.sample_pairs(count=120, seed=0)))
        paths = {"source": "chromatin.npy", "target": "expression.npy", "pairs": "pairs.npy"}
        st.session_state[_EXAMPLE] = keep_files({role: str(folder / file) for role, file in paths.items()}, paths)


def forget(key: str) -> None:
    """Delete data from this machine, and let go of the files that they came from; a callback."""
    keeping.forget(key)
    for name in (_KEPT, _EXAMPLE):
        st.session_state.pop(name, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1  # new controls, which hold no file
    for role in ROLES:
        st.session_state[f"path_{role.name}"] = ""
    if values.stored().get(OWN_DATA) == key:
        values.reset()
