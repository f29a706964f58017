"""The kinds of files that a user's data can be in. A new one is one new file with a `Format`, and one line here."""

from bridgeviz.datasets._formats import _isolated
from bridgeviz.datasets._formats._anndata import AnnData
from bridgeviz.datasets._formats._csv import Csv
from bridgeviz.datasets._formats._feather import Feather
from bridgeviz.datasets._formats._file import File, reading
from bridgeviz.datasets._formats._format import Column, Format, Table
from bridgeviz.datasets._formats._isolated import Isolated
from bridgeviz.datasets._formats._join import label_order, pair_rows
from bridgeviz.datasets._formats._limits import refuse_large
from bridgeviz.datasets._formats._npy import Npy
from bridgeviz.datasets._formats._npz import Npz
from bridgeviz.datasets._formats._parquet import Parquet
from bridgeviz.datasets._formats._safetensors import Safetensors
from bridgeviz.datasets._formats._text import Text

FORMATS: dict[str, Format] = {
    ".npy": Npy("a NumPy array (.npy)"),
    ".npz": Npz("a zip archive of NumPy arrays (.npz)"),
    ".csv": Csv("a table of text (.csv)"),
    ".tsv": Csv("a table of text (.tsv)", "\t"),
    ".parquet": Isolated(Parquet("a Parquet table (.parquet)")),
    ".feather": Isolated(Feather("a Feather table (.feather)")),
    ".arrow": Isolated(Feather("an Arrow table (.arrow)")),
    ".h5ad": Isolated(AnnData("an AnnData file (.h5ad)")),
    ".h5mu": Isolated(AnnData("a MuData file (.h5mu)")),
    ".safetensors": Safetensors("a file of tensors (.safetensors)"),
    ".txt": Text("a text file (.txt)"),
}
"""How files are read, by their suffix in small letters."""


def answer() -> None:
    """Answer the question of another process about a file: see `_isolated`."""
    _isolated.answer(FORMATS)


__all__ = [
    "FORMATS", "Column", "File", "Format", "Table", "answer", "label_order", "pair_rows", "reading", "refuse_large",
]  # fmt: skip
