"""Mutants of the readers of a user's files."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "csv: blank lines of one column vanish",
        "bridgeviz/datasets/_formats/_csv.py",
        "ignore_empty_lines=layout.columns > 1",
        "ignore_empty_lines=True",
        "cli/test_files.py",
    ),
    Mutant(
        "csv: any first line 0,1,2 is a header",
        "bridgeviz/datasets/_formats/_layout.py",
        "    if not counted:\n        return False",
        "    if counted:\n        return True\n    if not counted:\n        return False",
        "cli/test_files.py",
    ),
    Mutant(
        "csv: a decimal comma is read as one of thousands",
        "bridgeviz/datasets/_formats/_layout.py",
        "if all(_THOUSANDS.fullmatch(cell) for cell in commas):",
        "if False:",
        "datasets/files",
    ),
    Mutant(
        "names: a column that numbers the rows is a feature",
        "bridgeviz/datasets/_formats/_names.py",
        "if counts or (title is not None and is_title(title)):",
        "if False:",
        "cli/test_files.py",
    ),
    Mutant(
        "names: two rows may have the same",
        "bridgeviz/datasets/_formats/_names.py",
        "if len(set(names)) < len(names):",
        "if False:",
        "datasets/files",
    ),
    Mutant(
        "labels: the first of too many is taken for a header",
        "bridgeviz/datasets/_formats/_columns.py",
        "if header and header not in values[1:]:",
        "if header:",
        "cli/test_files.py",
    ),
    Mutant(
        "labels: read by position whatever their index",
        "bridgeviz/datasets/_formats/_join.py",
        "if space is None and own != counted and sorted(own) == sorted(counted):",
        "if False:",
        "cli/test_files.py",
    ),
    Mutant(
        "labels: read by position whatever their names",
        "bridgeviz/datasets/_formats/_join.py",
        "    return [rows[name] for name in space]",
        "    return None",
        "datasets/files",
    ),
    Mutant(
        "pairs: numbers that are names are row numbers",
        "bridgeviz/datasets/_formats/_join.py",
        "if numeric and not _have_numbers(names):",
        "if numeric:",
        "datasets/files",
    ),
    Mutant(
        "limits: the bytes in the file are counted, not those of the floats",
        "bridgeviz/datasets/_formats/_limits.py",
        "size += cells * float_type(dtype).itemsize",
        "size += 0",
        "datasets/files",
    ),
    Mutant(
        "limits: bombs pass",
        "bridgeviz/datasets/_formats/_limits.py",
        "if stored is not None and SMALL <",
        "if False and SMALL <",
        "datasets/files",
    ),
    Mutant(
        "sparse: indices are trusted",
        "bridgeviz/datasets/_formats/_sparse.py",
        "matrix.check_format(full_check=True)",
        "pass",
        "datasets/files",
    ),
    Mutant(
        "hdf5: links are followed",
        "bridgeviz/datasets/_formats/_hdf5.py",
        "if not isinstance(node.get(name, getlink=True), h5py.HardLink):",
        "if False:",
        "datasets/files",
    ),
    Mutant(
        "hdf5: external storage is read",
        "bridgeviz/datasets/_formats/_hdf5.py",
        "if isinstance(node, h5py.Dataset) and (node.external or node.is_virtual):",
        "if False:",
        "datasets/files",
    ),
    Mutant(
        "files: a pipe is opened",
        "bridgeviz/datasets/_formats/_file.py",
        "if is_kind(status.st_mode):",
        "if False:",
        "datasets/files",
    ),
    Mutant(
        "npy: objects pass",
        "bridgeviz/datasets/_formats/_npy_header.py",
        'if dtype.kind not in "fiubUS" or dtype.itemsize == 0:',
        "if False:",
        "datasets/files",
    ),
]
