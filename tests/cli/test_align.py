"""The command line from files to files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import bridgeviz as bv
from bridgeviz.cli._align import _cost_options

from . import conftest

N, M, P, Q, L = 60, 50, 5, 3, 12  # as the fixture `folder` has them


ALIGN = (*conftest.ALIGN, "--steps", "60", "--batch-size", "32", "--out", "out")

pytestmark = pytest.mark.usefixtures("small_networks")


def test_align_leaves_report_coupling_flow_and_points(folder, call):
    code, out, _ = call(*ALIGN, "--source-labels", "xl.txt", "--target-labels", "yl.csv", "--seed", "3")
    assert code == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert (report["n"], report["m"], report["l"], report["seed"]) == (N, M, L, 3)
    assert (report["strategy"], report["cost"], report["solver"]) == ("global", "bridge", "linear")
    assert report["epsilon"] == 5e-3
    assert report["converged"] is True
    assert report["marginal_error"] < 1e-2
    assert report["mass"] == pytest.approx(1)
    assert report["matching_accuracy"] > 0.8
    assert 0 < report["final_loss"] < 3
    assert {"load", "cost", "coupling", "training"} <= set(report["seconds"])
    assert {"bridgeviz", "jax", "ott-jax"} <= set(report["versions"])
    assert f"{report['matching_accuracy']:.3f}" in out
    plan = sparse.load_npz(folder / "out" / "coupling.npz")
    assert plan.shape == (N, M)
    np.testing.assert_allclose(plan.sum(axis=1).ravel(), 1 / N, atol=1e-4)
    moved = np.load(folder / "out" / "transported.npy")
    assert moved.shape == (N, Q)
    code, _, _ = call("transport", "out", "x.npy", "--seed", "3", "--out", "moved.npy")
    assert code == 0
    np.testing.assert_allclose(np.load(folder / "moved.npy"), moved, atol=1e-5)
    assert not [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_align_without_labels_has_no_accuracy(folder, call):
    assert call(*ALIGN, "--strategy", "true")[0] == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["matching_accuracy"] is None
    assert report["cost"] is None


def test_pairs_for_evaluation_give_foscttm_and_are_not_learned_from(folder, call):
    (folder / "test.csv").write_text("source,target\n50,40\n51,41\n52,42\n")
    code, out, _ = call(*ALIGN, "--test-pairs", "test.csv")
    assert code == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["l"] == L
    assert 0 <= report["metrics"]["plan_foscttm"] <= 1
    assert f"FOSCTTM {report['metrics']['plan_foscttm']:.3f} of the test pairs" in out
    plan = sparse.load_npz(folder / "out" / "coupling.npz").toarray()
    assert report["metrics"]["plan_foscttm"] == pytest.approx(
        bv.metrics.foscttm(-plan, [[50, 40], [51, 41], [52, 42]], known=[[k, k] for k in range(L)]), abs=1e-6
    )


def test_a_pair_to_learn_from_is_no_pair_for_evaluation(folder, call):
    code, _, err = call(*ALIGN, "--test-pairs", "pairs.csv")
    assert code == 2
    assert "'test-pairs' of align() must be without the pairs to learn from" in err
    assert f"and {L} in both files" in err


def test_local_leaves_no_plan(folder, call, few_draws):
    assert call(*ALIGN, "--strategy", "local")[0] == 0
    assert not (folder / "out" / "coupling.npz").exists()
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["mass"] == pytest.approx(1, abs=0.05)  # average over batches
    assert report["converged"] in (True, False)


def test_points_keep_the_precision_of_the_target_and_one_point_is_enough(folder, call):
    y = np.load("y.npy").astype(np.float64) + 1e8
    np.save("y.npy", y)
    np.save("one.npy", np.load("x.npy")[:1])
    code, _, err = call(*ALIGN[:5], "--steps", "5", "--metric", "sqeuclidean", "--out", "out [1]")
    assert code == 0, err
    moved = np.load(folder / "out [1]" / "transported.npy")
    assert moved.dtype == np.float64
    assert len(np.unique(moved[:, 0])) == N  # in float32, they would be one value
    assert call("transport", "out [1]", "one.npy", "--out", "moved.npy")[0] == 0
    np.testing.assert_allclose(np.load("moved.npy"), moved[:1], rtol=0, atol=1e-3)


def test_an_input_is_never_replaced_by_the_result(folder, call):
    (folder / "out").mkdir()
    (folder / "x.npy").rename(folder / "out" / "transported.npy")
    before = (folder / "out" / "transported.npy").read_bytes()
    code, _, err = call("align", "out/transported.npy", *ALIGN[2:])
    assert (code, "must not hold the input out/transported.npy" in err) == (2, True)
    code, _, err = call("transport", "out", "y.npy", "--out", "./y.npy")
    assert (code, "which it would replace" in err) == (2, True)
    assert (folder / "out" / "transported.npy").read_bytes() == before


def test_what_is_in_the_way_of_checkpoints_is_refused_before_any_work(folder, call, monkeypatch):
    monkeypatch.setattr(bv, "run", lambda *_, **__: pytest.fail("it began to work"))
    (folder / "out.training").write_text("mine")
    code, _, err = call(*ALIGN)
    assert (code, "must be the path of a folder" in err) == (2, True)


@pytest.mark.parametrize("gamma", ["0.1,0.2", "(0.1, 0.2)", "[0.1,0.2]"])
def test_an_option_may_have_several_values(gamma):
    assert _cost_options((f"gamma={gamma}", "k=5", "form=path")) == {"gamma": (0.1, 0.2), "k": 5, "form": "path"}


def test_every_cost_and_solver_can_be_chosen(folder, call, few_draws, few_costs):
    options = ("--cost", "knn", "--cost-option", "k=5", "--cost-option", "form=path", "--metric", "sqeuclidean")
    smooth = ("--epsilon", "0.1")  # a plan that is found in few steps
    assert call(*ALIGN, *options, "--solver", "fgw", "--alpha", "0.3", *smooth)[0] == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert (report["cost"], report["cost_options"]) == ("knn", {"k": 5, "form": "path"})
    assert (report["solver"], report["alpha"], report["metric"]) == ("fgw", 0.3, "sqeuclidean")
    assert report["recommendation"] is None
    code, _, err = call(*ALIGN, "--cost", "auto")
    assert code == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["cost"] == report["recommendation"]["cost"]
    assert report["recommendation"]["reason"] in err.replace("\n", " ")
    assert call(*ALIGN, "--strategy", "local", "--ot-batch-size", "40", "--batch-size", "16")[0] == 0
    assert json.loads((folder / "out" / "report.json").read_text())["config"]["ot_batch_size"] == 40


@pytest.mark.parametrize("name", ["x.npz", "x.csv", "x_header.csv", "x.parquet"])
def test_every_kind_of_matrix_reads_the_same(folder, name):
    np.testing.assert_allclose(bv.datasets.files.read_matrix(name), np.load("x.npy"), rtol=1e-9)


def test_an_earlier_result_is_replaced_and_other_files_are_not(folder, call):
    assert call(*ALIGN)[0] == 0
    assert call(*ALIGN, "--seed", "1")[0] == 0
    assert json.loads((folder / "out" / "report.json").read_text())["seed"] == 1
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.tex").write_text("years of work")
    code, _, err = call(*ALIGN[:-1], "mine")
    assert code == 2
    assert "holds other files" in err
    assert (folder / "mine" / "thesis.tex").read_text() == "years of work"


def bad_files(folder: Path) -> None:
    np.save(folder / "nan.npy", np.where(np.eye(N, P) > 0, np.nan, 1.0))
    np.save(folder / "flat.npy", np.ones(N))
    np.save(folder / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.save(folder / "empty.npy", np.zeros((0, 3)))
    (folder / "cut.npy").write_bytes((folder / "x.npy").read_bytes()[:-100])
    (folder / "cut.npz").write_bytes((folder / "x.npz").read_bytes()[:-100])
    (folder / "noise.parquet").write_bytes(b"PAR1 not really")
    (folder / "words.csv").write_text("1,2\n3,four\n5,6\n")
    (folder / "ragged.csv").write_text("1,2\n3\n4,5,6\n")
    (folder / "far.csv").write_text("source,target\n0,0\n1,50\n")
    (folder / "twice.csv").write_text("source,target\n1,1\n0,0\n1,1\n")
    (folder / "none.csv").write_text("source,target\n")
    (folder / "columns.csv").write_text("a,b\n0,0\n")
    (folder / "one.txt").write_text("cat\n" * N)
    (folder / "few.txt").write_text("cat\ndog\n")
    with zipfile.ZipFile(folder / "two.npz", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}.npy", (folder / "x.npy").read_bytes())


def bomb(folder: Path) -> None:
    """A small file whose header promises 40 GB."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (5000000, 1000), }"
    header += b" " * (117 - len(header)) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(1000)
    with zipfile.ZipFile(folder / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", content)


BAD = [
    (("align", "gone.npy", "y.npy"), ("gone.npy", "No such file")),
    (("align", "x.doc", "y.npy"), ("x.doc", ".parquet")),
    (("align", "nan.npy", "y.npy"), ("nan.npy", "finite", "row 0")),
    (("align", "flat.npy", "y.npy"), ("flat.npy", "one row per sample")),
    (("align", "objects.npy", "y.npy"), ("objects.npy", "never loaded")),
    (("align", "empty.npy", "y.npy"), ("empty.npy", "2 rows")),
    (("align", "cut.npy", "y.npy"), ("cut.npy", "can't be read")),
    (("align", "cut.npz", "y.npy"), ("cut.npz", "can't be read")),
    (("align", "two.npz", "y.npy"), ("two.npz", "a, b")),
    (("align", "bomb.npz", "y.npy"), ("bomb.npz", "GB")),
    (("align", "noise.parquet", "y.npy"), ("noise.parquet", "can't be read")),
    (("align", "words.csv", "y.npy"), ("words.csv", "Row 1", "four")),
    (("align", "ragged.csv", "y.npy"), ("ragged.csv",)),
    (("align", "x.npy", "y.npy", "--pairs", "far.csv"), ("far.csv", "0 to 49", "target row 50")),
    (("align", "x.npy", "y.npy", "--pairs", "twice.csv"), ("twice.csv", "(1, 1)")),
    (("align", "x.npy", "y.npy", "--pairs", "none.csv"), ("none.csv", "at least 1 pair")),
    (("align", "x.npy", "y.npy", "--pairs", "columns.csv"), ("columns.csv", "'source' and 'target'")),
    (("align", "x.npy", "y.npy", "--source-labels", "one.txt"), ("one.txt", "two classes", "cat")),
    (("align", "x.npy", "y.npy", "--source-labels", "few.txt"), ("few.txt", "60")),
    (("align", "x.npy", "y.npy", "--epsilon", "-1"), ("epsilon", "float > 0", "-1")),
    (("align", "x.npy", "y.npy", "--epsilon", "nan"), ("epsilon", "float > 0", "nan")),
    (("align", "x.npy", "y.npy", "--epsilon", "much"), ("epsilon", "much")),
    (("align", "x.npy", "y.npy", "--tau-x", "1.5"), ("tau", "(0, 1]", "1.5")),
    (("align", "x.npy", "y.npy", "--tau-y", "0"), ("tau", "(0, 1]", "0")),
    (("align", "x.npy", "y.npy", "--strategy", "globl"), ("strategy", "'global'", "globl")),
    (("align", "x.npy", "y.npy", "--cost", "brigde"), ("cost", "'bridge'", "brigde")),
    (("align", "x.npy", "y.npy", "--solver", "magic"), ("solver", "'linear'", "magic")),
    (("align", "x.npy", "y.npy", "--alpha", "0.5"), ("alpha", "linear", "0.5")),
    (("align", "x.npy", "y.npy", "--solver", "fgw", "--alpha", "2"), ("alpha", "[0, 1]", "2")),
    (("align", "x.npy", "y.npy", "--precision", "float16"), ("precision", "'bfloat16'", "float16")),
    (("align", "x.npy", "y.npy", "--ema", "1.0"), ("ema", "(0, 1)", "1.0")),
    (("align", "x.npy", "y.npy", "--devices", "4000"), ("devices", "4000")),
    (("align", "x.npy", "y.npy", "--process-id", "1"), ("coordinator", "with the other two", "None")),
    (("align", "x.npy", "y.npy", "--cost-option", "k"), ("cost-option", "NAME=VALUE", "'k'")),
    (("align", "x.npy", "y.npy", "--cost-option", "k=5"), ("bridge", "no option 'k'", "none")),
    (("align", "x.npy", "y.npy", "--cost", "knn", "--cost-option", "k=many"), ("'k' of knn", "integer", "many")),
    (("align", "x.npy", "y.npy", "--velocity", "tiny"), ("velocity", "'adaln-small'", "tiny")),
    (("align", "x.npy", "y.npy", "--steps", "0"), ("steps", "integer >= 1", "0")),
    (("align", "x.npy"), ("TARGET",)),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: " ".join(v)[-40:])
def test_bad_input_gets_one_sentence_status_2_and_no_output(folder, call, arguments, words):
    bad_files(folder)
    bomb(folder)
    extra = () if "--pairs" in arguments else ("--pairs", "pairs.csv")
    before = sorted(p.name for p in folder.iterdir())
    code, out, err = call(*arguments, *extra, "--steps", "20", *arguments[3:], "--out", "out")
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert sorted(p.name for p in folder.iterdir()) == before


def test_transport_refuses_other_dimensions_and_damaged_flows(folder, call):
    assert call(*ALIGN)[0] == 0
    code, _, err = call("transport", "out", "y.npy", "--out", "t.npy")
    assert code == 2
    assert "5 columns" in err
    code, _, err = call("transport", "elsewhere", "x.npy", "--out", "t.npy")
    assert code == 2
    assert "found no flow" in err
    (folder / "out" / "flow" / "flow.json").write_text("{")
    code, _, err = call("transport", "out", "x.npy", "--out", "t.npy")
    assert code == 2
    assert "damaged" in err
    assert not (folder / "t.npy").exists()


def test_a_run_that_fails_or_is_stopped_leaves_nothing(folder, call, monkeypatch):
    code, _, err = call(*ALIGN, "--learning-rate", "1e30")
    assert code == 1
    assert "learning rate" in err
    monkeypatch.setattr(bv.Flow, "transport_in_blocks", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, _, err = call(*ALIGN)
    assert code == 130
    assert "no result was written" in err
    assert not (folder / "out").exists()
    assert not [p.name for p in folder.iterdir() if p.name.startswith(".")]


def test_a_full_disk_is_said_in_one_sentence_for_each_thing_that_is_not_written(folder):
    limited = ("bash", "-c", 'ulimit -f 48 && exec "$@"', "bash")  # 48 kB; Python then gets an error of the disk
    env = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    command = [*limited, sys.executable, "-m", "bridgeviz", *ALIGN]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1
    assert [line.split(" (")[0].split(":")[0] for line in done.stderr.splitlines()] == [
        f"No checkpoint can be written to {folder.resolve() / 'out.training'}", "bridgeviz",
    ]  # fmt: skip
    assert sorted(path.name for path in folder.glob("out*")) == ["out.training"]
    assert not list(folder.glob(".out*"))


def test_two_processes_on_one_folder_leave_one_whole_result(folder):
    command = [sys.executable, "-m", "bridgeviz", *ALIGN, "--velocity", "mlp-small"]  # of the same size here and there
    both = [subprocess.Popen([*command, "--seed", str(s)], stderr=subprocess.PIPE, text=True) for s in (0, 1)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert 0 in [process.returncode for process in both], errors
    assert all("Traceback" not in error for error in errors), errors
    report = json.loads((folder / "out" / "report.json").read_text())
    flow = bv.Flow.load(folder / "out" / "flow")
    moved = flow.transport(np.load("x.npy"), seed=report["seed"]).states[-1]
    np.testing.assert_allclose(np.load(folder / "out" / "transported.npy"), moved, atol=1e-4)


def test_the_same_command_resumes_a_killed_training(folder, call, monkeypatch):
    """The checkpoints beside the output are used, announced, and deleted when the result is written."""
    from bridgeviz.flows._training import Training

    class Crash(Exception):
        pass

    real = Training.progress

    def crash(self, losses, *rest):
        if len(losses) > 500:
            raise Crash
        return real(self, losses, *rest)

    monkeypatch.setattr(Training, "progress", crash)
    many = (*ALIGN[: ALIGN.index("--steps")], "--steps", "700", *ALIGN[ALIGN.index("--steps") + 2 :])
    with pytest.raises(Crash):
        call(*many)
    assert Path("out.training").is_dir()
    assert not Path("out").exists()
    monkeypatch.setattr(Training, "progress", real)
    code, _, err = call(*many)
    assert code == 0, err
    assert "Resuming an interrupted training at step 500." in err
    assert not Path("out.training").exists()
    code, _, err = call(*many, "--restart")
    assert (code, "Resuming" in err) == (0, False)


@pytest.mark.parametrize("restart", ["--restart", "--anew"])
def test_checkpoints_are_deleted_only_on_request_and_other_files_never(folder, call, restart):
    config = bv.FlowConfig(steps=20, batch_size=32, chunk_size=10)
    problem = bv.load("blobs", n=60)
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    next(bv.flows.fit(problem, plan, config, checkpoints="out.training", every=1))
    code, _, err = call(*ALIGN)
    assert code == 2
    assert "belong to another training" in err
    assert "--restart deletes it" in err
    assert call(*ALIGN, restart, "--source-labels", "gone.txt")[0] == 2
    assert list(Path("out.training").glob("step-*"))  # a typing error costs nothing
    assert call(*ALIGN, restart)[0] == 0
    Path("out.training").mkdir()
    Path("out.training/cells.npy").touch()
    for options in ((), (restart,)):
        code, _, err = call(*ALIGN, *options)
        assert code == 2
        assert "It holds other files: cells.npy" in err
    assert Path("out.training/cells.npy").exists()


def test_rows_are_paired_labelled_and_evaluated_by_their_names(folder, call):
    names = [f"cell {k}" for k in range(N)]
    x = pd.DataFrame(np.load("x.npy"), index=pd.Index(names, name="cell"))
    y = pd.DataFrame(np.load("y.npy"), index=pd.Index(names[:M], name="cell")).iloc[::-1]
    x.to_csv("x.csv")
    y.rename(columns=str).to_parquet("y.parquet")
    pairs = pd.DataFrame({"source": names[:20], "target": names[:20]})
    pairs[:L].to_csv("pairs.csv", index=False)
    pairs[L:].to_csv("test.csv", index=False)
    pd.DataFrame({"cell": names[::-1], "kind": [k % 4 for k in range(N)][::-1]}).to_csv("kinds.csv", index=False)
    code, _, err = call(
        "align", "x.csv", "y.parquet", *ALIGN[3:], "--test-pairs", "test.csv",
        "--source-labels", "kinds.csv::kind", "--target-labels", "kinds.csv::kind",
    )  # fmt: skip
    assert code == 0, err
    report = json.loads((folder / "out" / "report.json").read_text())
    assert (report["l"], report["matching_accuracy"] > 0.8) == (L, True)
    assert call("transport", "out", "x.csv", "--out", "moved.npy")[0] == 0
    code, _, err = call("align", "out/transported.npy::x", "y.parquet", *ALIGN[3:])
    assert (code, "must not hold the input" in err) == (2, True)
    code, _, err = call("align", "x.csv", "x\0.npy", *ALIGN[3:])
    assert (code, err) == (2, "bridgeviz: The 'target' of align() must be a path. Got 'x\\x00.npy' instead.\n")
