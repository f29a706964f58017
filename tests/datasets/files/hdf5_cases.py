"""AnnData files that lead out of themselves, or promise more than they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from .writers import NAMES, X, h5ad


def h5(change: Callable) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import h5py

        h5ad(path)
        with h5py.File(path, "r+") as root:
            change(root, h5py)

    return write


def external_link(root, h5py):
    del root["X"]
    with h5py.File("secret.h5", "w") as other:
        other["X"] = X
    root["X"] = h5py.ExternalLink("secret.h5", "/X")


def external_group(root, h5py):
    with h5py.File("secret.h5", "w") as other:
        other["obsm/X_pca"] = X
    root["obsm"] = h5py.ExternalLink("secret.h5", "/obsm")


def external_storage(root, h5py):
    del root["X"]
    Path("secret.bin").write_bytes(X.tobytes())
    root.create_dataset("X", X.shape, "f8", external=[("secret.bin", 0, X.nbytes)])


def virtual(root, h5py):
    with h5py.File("secret.h5", "w") as other:
        other["X"] = X
    del root["X"]
    layout = h5py.VirtualLayout(X.shape, "f8")
    layout[:] = h5py.VirtualSource("secret.h5", "X", X.shape)
    root.create_virtual_dataset("X", layout)


def soft_link(root, h5py):
    del root["obs"]
    root["obs"] = h5py.SoftLink("/somewhere")


def huge(root, h5py):
    del root["X"]
    root.create_dataset("X", (10**9, 10**4), "f4", chunks=(100, 100))


def deflated(root, h5py):
    del root["X"]
    root.create_dataset("X", (50_000, 1_000), "f4", chunks=(50_000, 100), compression="gzip", fillvalue=0)


def objects(root, h5py):
    del root["X"]
    root["X"] = np.array([["a"], ["b"]], object)


def mismatched(root, h5py):
    del root["obs/_index"]
    root["obs/_index"] = NAMES[:5]


def codes(root, h5py):
    del root["obs/_index"]
    node = root.create_group("obs/_index")
    node["categories"], node["codes"] = ["a"], np.array([0, 900])


HDF5 = {
    "an external link": (external_link, "'X' is a link to another place"),
    "an external link to a group": (external_group, "'obsm' is a link to another place"),
    "external storage": (external_storage, "'X' refers to other files"),
    "a virtual data set": (virtual, "'X' refers to other files"),
    "a soft link": (soft_link, "'obs' is a link to another place"),
    "a data set of 40 TB": (huge, "GB: use a sample"),
    "a data set that inflates": (deflated, "times as large"),
    "a data set of objects": (objects, "is of type object"),
    "names for other rows": (mismatched, "5 names and 12 rows"),
    "codes without a category": (codes, "a class for every code"),
}
