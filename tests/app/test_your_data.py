"""The page Your data: files come in, are looked at, and every other page then works on them."""

from __future__ import annotations

import io
import json
import runpy
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st

import bridgeviz as bv
from bridgeviz.datasets import Yours, keeping
from bridgeviz.ui.panels.archive import archive
from bridgeviz.ui.panels.bring import keep_files

from .driver import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
N = 80


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def files(tmp_path):
    """Two related spaces with named rows, twenty pairs of names, and labels, as paths by role."""
    blobs = bv.load("blobs", n=N)
    ids = [f"cell {k}" for k in range(N)]
    paths = {name: str(tmp_path / f"{name.replace(' ', '_')}.csv") for name in ("source", "target", "pairs")}
    pd.DataFrame(blobs.source.x, index=ids).add_prefix("f").to_csv(paths["source"])
    np.save(tmp_path / "target.npy", blobs.target.x)
    paths["target"] = str(tmp_path / "target.npy")
    pd.DataFrame({"source": ids[:20], "target": range(20)}).to_csv(paths["pairs"], index=False)
    paths["source labels"] = str(tmp_path / "labels.txt")
    (tmp_path / "labels.txt").write_text("".join(f"{label}\n" for label in blobs.source.labels))
    return paths


@pytest.fixture
def restricted(files, tmp_path):
    """The same, with weights of the source, and forbidden matches of rows and of classes."""
    labels = bv.load("blobs", n=N).source.labels
    contents = {
        "target labels": "".join(f"{label}\n" for label in bv.load("blobs", n=N).target.labels),
        "source weights": "".join(f"{row % 4}\n" for row in range(N)),
        "forbidden": "source,target\n" + "".join(f"cell {row},{row}\n" for row in range(40, 50)),
        "forbidden classes": f"source,target\n{labels[0]},{(labels[0] + 1) % 5}\n",
    }
    more = {role: tmp_path / f"{role.replace(' ', '_')}_of.{'csv' if 'forb' in role else 'txt'}" for role in contents}
    for role, text in contents.items():
        more[role].write_text(text)
    return files | {role: str(path) for role, path in more.items()}


def without(paths, role):
    return {name: path for name, path in paths.items() if name != role}


def named(paths):
    """The page after all paths were typed."""
    app = load("your_data").run()
    app.session_state["bring_from"] = "Files on this machine"
    app.run()
    for role, path in paths.items():
        app.text_input(key=f"path_{role}").set_value(path)
    return app.run()


def told(app):
    while app.session_state["_jobs"]["assess"].job.snapshot().active:
        time.sleep(0.1)
    return app.run()


def test_without_files_the_page_says_what_it_needs(links):
    app = load("your_data").run()
    assert not app.exception
    assert app.title[0].value.endswith("?")
    assert "What you need" in app.info[0].value
    assert not app.table


def test_files_are_looked_at_and_the_question_is_answered(files):
    app = told(named({role: files[role] for role in ("source", "target", "pairs")}))
    assert not app.exception
    assert not app.error
    table = app.table[0].value
    assert table.iloc[:, 0]["Rows"] == f"{N}, all distinct"
    assert any(caption.value.startswith("Transport between all rows takes") for caption in app.caption)
    assert [heading.value for heading in app.header] == ["Your 20 pairs", "Can this be aligned?"]
    verdict = [*app.success, *app.info, *app.warning][-1].value
    assert "On 20 held-out pairs" in verdict
    assert "yes" in verdict.lower() or "partly" in verdict.lower()
    assert [metric.label for metric in app.metric] == ["Linear CKA", "Mutual neighbours"]


def test_weights_forbidden_matches_and_the_metric_are_seen_on_the_page(restricted):
    app = told(named(restricted))
    assert not app.exception
    assert not app.error
    assert app.table[0].value.loc["Weights"].tolist() == [f"positive for {3 * N // 4} of {N} rows", "all the same"]
    captions = " ".join(caption.value for caption in app.caption)
    assert "Forbidden: " in captions
    assert "the metric" not in captions
    (control,) = [group for group in app.button_group if group.label == "Metric"]
    assert control.value == "automatic"
    control.set_value("sqeuclidean").run()
    app = told(app)
    assert "the metric sqeuclidean, as you chose" in " ".join(caption.value for caption in app.caption)


def test_uploaded_files_are_read_under_their_own_names(files, tmp_path):
    app = load("your_data").run()
    for number, role in enumerate(("source", "target", "pairs")):
        path = Path(files[role])
        app.file_uploader[number].set_value((f"../../{path.name}", path.read_bytes(), ""))
    app.run()
    assert not app.exception
    assert app.table[0].value.iloc[:, 1]["Columns"] == "4"
    app.file_uploader[2].set_value(("p.csv", b"source,target\nnobody,1\n", ""))
    app.run()
    assert app.error[0].value.startswith("p.csv")
    assert len(list(keeping.home().iterdir())) == 1


def test_what_is_missing_is_named(files):
    app = named({"source": files["source"]})
    assert "Still missing: target and pairs." in [caption.value for caption in app.caption]


@pytest.mark.parametrize(
    ("role", "name", "content", "message"),
    [
        ("source", "x.npy", b"\x93NUMPY\x01\x00", "x.npy"),
        ("source", "x.npy", b"\x80\x04K\x01.", "pickle"),
        ("source", "x.csv", b"a,b\n1,2\n3,word\n", "word"),
        ("source", "x.csv", b"a,b\n1,2\n3,nan\n", "finite"),
        ("source", "x.exe", b"", "must be a matrix in a file that ends in"),
        ("pairs", "p.csv", b"source,target\n0,999\n", "999"),
        ("pairs", "p.csv", b"source,target\nnobody,1\n", "nobody"),
        ("source labels", "l.txt", b"a\nb\n", "label"),
        ("target weights", "w.txt", b"1\n2\n", "vector of length"),
        ("forbidden", "f.csv", b"source,target\ncell 3,3\n", "free of the pairs"),
        ("forbidden classes", "f.csv", b"source,target\n0,1\n", "Those of the target have none"),
    ],
)
def test_a_bad_file_is_one_sentence(files, tmp_path, role, name, content, message):
    (tmp_path / "bad").mkdir()
    path = tmp_path / "bad" / name
    path.write_bytes(content)
    app = named({**files, role: str(path)})
    assert not app.exception
    assert len(app.error) == 1
    assert message in app.error[0].value
    assert not app.table
    assert not list(keeping.home().glob("*"))


def test_the_same_files_have_the_same_key_and_come_back_as_they_were(files):
    key = keep_files(files, files)
    assert keep_files(files, files) == key
    kept = keeping.kept(key)
    assert kept.rows[0][7] == "cell 7"
    assert kept.rows[1] is None
    blobs = bv.load("blobs", n=N)
    np.testing.assert_allclose(kept.problem.source.x, blobs.source.x, rtol=1e-6)
    np.testing.assert_array_equal(kept.problem.target.x, blobs.target.x)
    np.testing.assert_array_equal(kept.problem.source.labels, blobs.source.labels)
    np.testing.assert_array_equal(kept.problem.truth, np.stack([np.arange(20)] * 2, axis=1))
    assert bv.RunConfig.from_dict(bv.RunConfig(dataset=Yours(kept=key)).as_dict()).data.dataset.kept == key
    keeping.forget(key)
    with pytest.raises(bv.DataMissing, match="not on this machine"):
        keeping.kept(key)


def test_weights_and_forbidden_matches_are_kept(files, restricted):
    key = keep_files(restricted, restricted)
    assert keep_files(restricted, restricted) == key
    problem = keeping.kept(key).problem
    weights = np.arange(N) % 4
    np.testing.assert_allclose(problem.source.weights, weights / weights.sum())
    labels = bv.load("blobs", n=N).source.labels
    mask = (labels[:, None] == labels[0]) & (bv.load("blobs", n=N).target.labels == (labels[0] + 1) % 5)
    mask[np.arange(40, 50), np.arange(40, 50)] = True
    np.testing.assert_array_equal(problem.forbidden.block(np.arange(N), np.arange(N)), mask)
    assert keeping.kept(keep_files(files, files)).problem.forbidden is None
    Path(restricted["forbidden"]).write_text("source,target\ncell 40,41\n")
    assert keep_files(restricted, restricted) != key


def test_data_are_forgotten_on_request(files):
    app = told(named({role: files[role] for role in ("source", "target", "pairs")}))
    (kept,) = keeping.home().iterdir()
    app.button(key="forget_data").click().run()
    assert not app.exception
    assert not app.error
    assert not kept.exists()
    assert "What you need" in app.info[0].value
    assert [field.value for field in app.text_input][:3] == [""] * 3


def test_a_file_that_has_changed_is_read_again(files):
    app = named({role: files[role] for role in ("source", "target", "pairs")})
    np.save(files["target"], np.random.default_rng(0).normal(size=(N, 3)))
    app.run()
    assert app.table[0].value.iloc[:, 1]["Columns"] == "3"
    assert len(list(keeping.home().iterdir())) == 2


def test_the_oldest_data_make_room(files, monkeypatch):
    monkeypatch.setattr(keeping, "MOST", 2)
    keys = []
    for number in range(4):
        np.save(files["target"], np.random.default_rng(number).normal(size=(N, 3)))
        keys.append(keep_files(files, files))
        time.sleep(0.02)
    assert len(set(keys)) == 4  # the key depends on the numbers
    left = {path.name for path in keeping.home().iterdir()}
    assert left == set(keys[-2:])


@pytest.mark.parametrize("name", ["data", "pairs_and_cost", "coupling", "flow", "diagnose"])
def test_every_page_works_on_them(files, name):
    key = keep_files(without(files, "source labels"), files)
    app = load(name, dataset="yours", own_data=key, percent="80", cost="bridge", steps="20").run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("own", ["", "0" * 32, "../secret", "x" * 32])
def test_a_link_to_data_that_are_not_here_is_a_message(own):
    app = load("data", dataset="yours", own_data=own).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "Your data" in app.error[0].value or "own_data" in app.error[0].value


def test_everything_is_taken_away_and_the_script_repeats_the_run(files, restricted, tmp_path, monkeypatch):
    files = {role: path for role, path in restricted.items() if "labels" not in role and "classes" not in role}
    key = keep_files(files, files)
    config = bv.RunConfig(dataset=Yours(kept=key), fraction=0.8, cost="bridge", steps=30, batch_size=32)
    run = bv.run(config)
    assert {"plan_foscttm", "flow_foscttm", "flow_recall_10", "flow_pair_cosine"} <= set(run.metrics)
    assert not any("accuracy" in name for name in run.metrics)
    with zipfile.ZipFile(io.BytesIO(archive(run))) as packed:
        names = set(packed.namelist())
        packed.extractall(tmp_path / "away")
    top = {name.removeprefix("result/").split("/")[0] for name in names}
    assert top == {
        "coupling.npz", "doubtful_rows.csv", "flow", "loss.html", "plotly.min.js", "repeat.py", "report.json",
        "source_map.html", "target_map.html", "transported.npy",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "away" / "result" / "doubtful_rows.csv")
    assert sorted(table.row) == list(range(N))
    assert table.name[0] == f"cell {table.row[0]}"
    assert (np.diff(table.spread) <= 0).all()
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(tmp_path / "away" / "result" / "repeat.py"))
    again = json.loads((tmp_path / "result" / "report.json").read_text())
    assert again["metrics"] == pytest.approx(run.metrics, abs=1e-4)
    assert again["weights"]["source"]["rows"] == 3 * N // 4
    assert again["forbidden"] == pytest.approx(10 / N**2)
