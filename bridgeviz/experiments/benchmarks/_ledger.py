"""The measured rows of one benchmark, kept as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridgeviz._files import new_file

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
"""One measurement: plain values by column."""


@dataclass
class Ledger:
    """Rows of the installed version of bridgeviz.

    Attributes:
        path: of the file, whose suffix says its format: .csv or .parquet.
        rows: in the order of measurement.
    """

    path: Path
    rows: list[Row] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, *, is_current: Callable[[Row], bool]) -> Ledger:
        """The rows of a file that belong to the installed version and pass `is_current`; none without a file."""
        import pandas as pd

        read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
        records = read(path).to_dict("records") if path.is_file() else []
        rows = [{str(column): value for column, value in record.items()} for record in records]
        return cls(path, [row for row in rows if row["version"] == version("bridgeviz") and is_current(row)])

    def holds(self, key: Mapping[str, Any]) -> bool:
        """Whether a row has these values."""
        return any(all(row[column] == value for column, value in key.items()) for row in self.rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows, and the version that measured them."""
        self.rows += [{**row, "version": version("bridgeviz")} for row in rows]

    def save(self) -> None:
        """Write the file, completely or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(self.path) as draft:
            if self.path.suffix == ".parquet":
                self.table().to_parquet(draft, index=False)
            else:
                self.table().to_csv(draft, index=False)

    def table(self, *, seeds: int | None = None) -> pd.DataFrame:
        """All rows, or those of the seeds 0 .. seeds - 1 and those without a seed."""
        import pandas as pd

        return pd.DataFrame([row for row in self.rows if seeds is None or row.get("seed", 0) < seeds])
