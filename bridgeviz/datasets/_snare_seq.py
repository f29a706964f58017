"""SNARE-seq: chromatin accessibility against gene expression of the same cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem, Space

FOLDER = "snare_seq"
HOLDS = {"cells.npz", "LICENSE"}
RAW = {"atac": "SNAREseq_atac_feat.npy", "rna": "SNAREseq_rna_feat.npy", "types": "SNAREseq_rna_types.txt"}
TEST = 261
"""Cells that are held out: a quarter."""


@dataclass(frozen=True, kw_only=True)
class SnareSeq(DatasetOptions):
    """786 cells to align and 261 as `.test`, each measured in both spaces: row i is the same cell in both.

    A one-to-one problem. The labels are the four cell lines of the mixture; no cost and no solver reads them.
    """

    name = "snare-seq"
    title = "SNARE-seq: chromatin accessibility (19) against gene expression (10) of the same cells"
    card = Card(
        source="Chen, Lake and Zhang (2019), Nature Biotechnology 37, 1452-1457, as preprocessed by Demetci et al. "
        "(2022) for SCOT (rsinghlab/SCOT, commit 14649be).",
        licence="MIT, Singh Lab at Brown University; the notice is in data/snare_seq/LICENSE.",
        size="786 + 261 cells; 19 topics against 10 principal components. 60 kB, shipped.",
        made="Topics of chromatin accessibility, each cell scaled to length one, and principal components of gene "
        "expression, both as float16 (`bridgeviz features snare-seq`). The split is random, with a fixed seed.",
        cautions=(
            "The source numbers the four cell lines and does not name them.",
            "Gene expression of cells of one line differs little, so their partners are hard to tell apart.",
        ),
        checksums={"snare_seq/cells.npz": "1372fc6ea43e7a829bf21bf9cf85344259592119fdb2ea870293d7433810e4ba"},
    )

    def load(self) -> Problem:
        cells = _cells()
        order = np.random.default_rng(0).permutation(len(cells["types"]))
        return self._problem(cells, np.sort(order[TEST:]), self._problem(cells, np.sort(order[:TEST]), None))

    def encode(self, out: Path) -> Iterator[str]:
        """Write `cells.npz` and the licence to `out` from the files of the source.

        Raises:
            DataMissing: they are not in `$BRIDGEVIZ_DATA/snare` or in the cache.
        """
        folder = next((folder for folder in paths.raw("snare") if (folder / RAW["atac"]).is_file()), None)
        if folder is None:
            files = ", ".join(RAW.values())
            raise DataMissing(
                f"The files of SNARE-seq are not here: put {files} and LICENSE into {paths.cache() / 'snare'}, or let "
                "BRIDGEVIZ_DATA point to the folder that holds snare/."
            )
        check_folder(out, holds=HOLDS)
        yield f"reading {folder}"
        atac = np.load(folder / RAW["atac"], allow_pickle=False)
        rna = np.load(folder / RAW["rna"], allow_pickle=False)
        atac = atac / np.linalg.norm(atac, axis=1, keepdims=True)
        types = np.loadtxt(folder / RAW["types"]).astype(np.int8)
        with new_folder(out, holds=HOLDS) as draft:
            np.savez_compressed(
                draft / "cells.npz", atac=atac.astype(np.float16), rna=rna.astype(np.float16), types=types
            )
            (draft / "LICENSE").write_bytes((folder / "LICENSE").read_bytes())

    def _problem(self, cells: dict[str, np.ndarray], rows: np.ndarray, test: Problem | None) -> Problem:
        labels = cells["types"][rows].astype(np.int64)
        names = [f"cell line {number}" for number in range(1, 5)]
        source, target = (
            Space(cells[key][rows].astype(np.float32), labels=labels, names=names, classes=np.arange(1, 5), title=title)
            for key, title in (("atac", "chromatin accessibility, topics"), ("rna", "gene expression, PCA"))
        )
        return Problem(source, target, truth=np.stack([np.arange(len(rows))] * 2, axis=1), test=test, name=self.name)


@cache
def _cells() -> dict[str, np.ndarray]:
    path = paths.find(FOLDER, "cells.npz")
    if path is None:
        raise DataMissing("The cells of SNARE-seq are not here. They come with bridgeviz: reinstall it.")
    return read_arrays(path, "bridgeviz features snare-seq")
