"""The files that are mutated: one of every kind, small, as users' programs write them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from tests.datasets.files.writers import LABELS, NAMES, PAIRS, ROWS, X, h5ad, named, safetensors, unnamed


def write(folder: Path) -> list[Path]:
    """Write the files; returns their paths."""
    for number, kind in enumerate((named, unnamed)):
        (folder / str(number)).mkdir()
        kind(folder / str(number))
    rest = folder / "2"
    rest.mkdir()
    h5ad(rest / "dense.h5ad")
    h5ad(rest / "sparse.h5ad", X=sparse.csr_array(np.maximum(X, 0)))
    h5ad(rest / "several.h5mu", X=X, obsm__X_pca=X[:, :2], layers__raw=sparse.csc_array(np.maximum(X, 0)))
    safetensors(rest / "x.safetensors", x=("F32", X.shape, X.astype("f4").tobytes()), y=("BF16", (2, 2), bytes(8)))
    (rest / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    np.save(rest / "labels.npy", np.array(LABELS))
    table = pd.DataFrame({"id": NAMES, "label": LABELS})
    table.to_csv(rest / "labels.csv", index=False)
    table.set_index("id").to_parquet(rest / "labels.parquet")
    pairs = pd.DataFrame(PAIRS, columns=["source", "target"])
    pairs.to_csv(rest / "pairs.csv", index=False)
    pairs.map(lambda row: NAMES[row]).to_csv(rest / "names.csv", index=False)
    pairs.to_parquet(rest / "pairs.parquet")
    np.save(rest / "pairs.npy", PAIRS)
    np.savez(rest / "pairs.npz", pairs=PAIRS, label=np.arange(ROWS) % 3)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def members(content: bytes) -> dict[str, bytes]:
    """The members of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(parts: dict[str, bytes], how: int) -> bytes:
    """A zip archive of these members, whose checksums are right."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return stream.getvalue()
