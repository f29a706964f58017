"""Everything about a run in one archive."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from bridgeviz import Run, __version__
from bridgeviz.datasets import Yours, keeping
from bridgeviz.experiments import save, script
from bridgeviz.ui.cache.analysis import panel_of
from bridgeviz.ui.panels import doubt
from bridgeviz.viz.curves import loss_curve
from bridgeviz.viz.maps import space_map

CONTENTS = (
    "the coupling (sparse), the transported points, the flow, the settings and numbers, the doubtful rows, figures, "
    "and a script that repeats the run"
)


def archive(run: Run) -> bytes:
    """A zip with the result of a run (see `experiments.save`), its doubtful rows, figures, and a script.

    It is made when the browser asks for it, outside of the run of a page, so nothing here reads the session.
    """
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        folder = Path(name) / "result"
        save(run, folder)
        doubt.named(run, doubt.measured(run)).to_csv(folder / "doubtful_rows.csv", index=False)
        (folder / "repeat.py").write_text(_script(run), encoding="utf-8")
        for title, figure in _figures(run).items():
            figure.write_html(folder / f"{title}.html", include_plotlyjs="directory")
        for path in sorted(folder.rglob("*")):
            packed.write(path, path.relative_to(folder.parent).as_posix())
    return buffer.getvalue()


def _script(run: Run) -> str:
    dataset = run.config.data.dataset
    files = keeping.kept(dataset.kept).files if isinstance(dataset, Yours) and dataset.kept else None
    return script(run.config, version=__version__, files=files)


def _figures(run: Run) -> dict[str, go.Figure]:
    maps = {f"{side}_map": space_map(panel_of(run.problem, side), brush=False) for side in ("source", "target")}
    return maps | {"loss": loss_curve(np.arange(1, len(run.losses) + 1), run.losses)}
