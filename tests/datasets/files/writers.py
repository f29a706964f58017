"""Writes the same small table as every kind of file, with the packages that users have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

ROWS, COLUMNS = 12, 4

X = np.random.default_rng(0).normal(size=(ROWS, COLUMNS))
NAMES = tuple(f"cell {k}" for k in range(ROWS))
LABELS = [("ant", "bee", "cat")[k % 3] for k in range(ROWS)]
PAIRS = np.array([[3, 1], [0, 2], [7, 7]])


def frame() -> pd.DataFrame:
    return pd.DataFrame(X, index=pd.Index(NAMES, name="cell"), columns=list("abcd"))


def named(folder: Path) -> list[Path]:
    """Files with the matrix X and the names of its rows."""
    table = frame()
    nameless = table.rename_axis(None)
    vectors = pd.DataFrame({"id": NAMES, "embedding": list(X), "score": 1.5})
    nameless.to_csv(folder / "index.csv")
    table.to_csv(folder / "title.csv")
    table.to_csv(folder / "bom.csv", encoding="utf-8-sig", lineterminator="\r\n")
    table.to_csv(folder / "headerless.csv", header=False)
    table.to_csv(folder / "semicolon.csv", sep=";")
    table.to_csv(folder / "comma.csv", sep=";", decimal=",")
    table.to_csv(folder / "tabs.tsv", sep="\t")
    table.to_csv(folder / "old.csv", lineterminator="\r")
    (folder / "blank.csv").write_text("\n\n" + table.to_csv().replace("\n", "\n\n"))
    table.to_parquet(folder / "index.parquet")
    table.reset_index().to_parquet(folder / "column.parquet")
    table.reset_index().astype({"cell": "category"}).to_parquet(folder / "category.parquet")
    vectors.to_parquet(folder / "vectors.parquet")
    vectors.to_feather(folder / "vectors.feather")
    table.reset_index().to_feather(folder / "column.feather", compression="zstd")
    return sorted(folder.iterdir())


def unnamed(folder: Path) -> list[Path]:
    """Files with the matrix X alone."""
    import pyarrow as pa
    from pyarrow import ipc

    table = frame().reset_index(drop=True)
    np.save(folder / "c.npy", X)
    np.save(folder / "f.npy", np.asfortranarray(X))
    np.save(folder / "big.npy", X.astype(">f8"))
    np.savez(folder / "one.npz", anything=X)
    np.savez_compressed(folder / "several.npz", x=X, y=X + 1)
    for kind in ("csr", "csc", "coo", "bsr", "dia"):
        sparse.save_npz(folder / f"{kind}.npz", getattr(sparse, f"{kind}_array")(X))
    table.to_csv(folder / "header.csv", index=False)
    table.to_csv(folder / "quoted.csv", index=False, quoting=1)
    table.to_csv(folder / "comma.tsv", index=False, sep="\t", decimal=",")
    np.savetxt(folder / "none.csv", X, delimiter=",", fmt="%.18g")
    table.to_parquet(folder / "columns.parquet")
    pd.DataFrame({"text": LABELS, "embedding": list(X)}).to_parquet(folder / "lists.parquet")
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), COLUMNS)
    stream = pa.table({"text": LABELS, "embedding": vectors})
    with ipc.new_stream(folder / "stream.arrow", stream.schema) as writer:
        for batch in stream.to_batches(max_chunksize=5):
            writer.write_batch(batch)
    return sorted(folder.iterdir())


def h5ad(path: Path, **matrices) -> Path:
    """An AnnData file as anndata writes it, with the rows named and labelled."""
    import h5py

    with h5py.File(path, "w") as root:
        group = root.create_group("mod/rna") if path.suffix == ".h5mu" else root
        obs = group.create_group("obs")
        obs.attrs.update({"_index": "_index", "encoding-type": "dataframe", "column-order": ["label", "kind"]})
        obs["_index"] = NAMES
        obs["label"] = LABELS
        obs["batch"] = np.arange(ROWS) % 2
        kind = obs.create_group("kind")
        kind.attrs["encoding-type"] = "categorical"
        kind["categories"] = ["ant", "bee", "cat"]
        kind["codes"] = np.array([k % 3 for k in range(ROWS)], np.int8)
        for name, value in (matrices or {"X": X}).items():
            place = name.replace("__", "/")
            if sparse.issparse(value):
                node = group.create_group(place)
                node.attrs.update({"encoding-type": f"{value.format}_matrix", "shape": value.shape})
                for part in ("data", "indices", "indptr"):
                    node[part] = getattr(value, part)
            else:
                group[place] = value
    return path


def safetensors(path: Path, **tensors: tuple[str, tuple[int, ...], bytes]) -> Path:
    """A file of tensors, written by hand: (type, shape, bytes) each."""
    import json

    header, content = {}, b""
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps({"__metadata__": {"made": "by hand"}, **header}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)
    return path
