"""From pictures to a file of features, with stub encoders: what is read, kept, resumed, skipped and refused."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from stub_encoders import Colours, Letters, Wide

import bridgeviz as bv
from bridgeviz import cli, encoders
from bridgeviz.encoders import _shards, open_pictures, store
from bridgeviz.encoders._encoder import squared
from bridgeviz.encoders._features import flat
from bridgeviz.encoders._pictures import Unreadable

GOLDFISH, TENCH = "n01443537", "n01440764"


@pytest.fixture(autouse=True)
def stubs(monkeypatch):
    """The stub encoders, registered as any encoder is: one line each."""
    monkeypatch.setitem(encoders.VISION, "colours", Colours)
    monkeypatch.setattr(encoders, "VISION", {"colours": Colours, "wide": Wide, **encoders.VISION})
    monkeypatch.setattr(encoders, "TEXT", {"letters": Letters, **encoders.TEXT})
    monkeypatch.setattr(Colours, "encoded", 0)


def png(colour, size=(10, 10)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "PNG")
    return data.getvalue()


def empty_png(side: int) -> bytes:
    """A file of 100 bytes that claims to hold side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def write_pictures(folder: Path, *, per_class: int = 6) -> Path:
    """Pictures of two classes of ImageNet: the red of a picture is the index of its class, its green its number."""
    for index, wnid in enumerate((TENCH, GOLDFISH)):
        (folder / wnid / "images").mkdir(parents=True)
        for k in range(per_class):
            (folder / wnid / "images" / f"{k}.png").write_bytes(png((index, k, 7)))
    return folder


@pytest.fixture
def pictures(tmp_path) -> Path:
    return write_pictures(tmp_path / "pictures")


def command(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as status:
        cli.main([str(one) for one in arguments])
    output = capsys.readouterr()
    return status.value.code, output.out, output.err


def imagenet(capsys, images, out, *more, vision="colours"):
    return command(
        capsys, "features", "imagenet", "--images", images, "--vision", vision, "--text", "letters", "--out", out, *more
    )


def test_a_folder_of_classes_becomes_a_data_set(capsys, pictures, tmp_path):
    out = tmp_path / "features.npz"
    status, printed, _ = imagenet(capsys, pictures, out, "--batch-size", 5, "--layer", "pooled", "--layer", "stem")
    assert status == 0, printed
    assert "12 pictures of 2 classes" in printed
    with np.load(out, allow_pickle=False) as file:
        arrays = dict(file)
    assert arrays["features"].dtype == arrays["text"].dtype == np.float16
    np.testing.assert_array_equal(arrays["features"][:, 0], arrays["labels"])  # the red of a picture is its class
    np.testing.assert_array_equal(arrays["features"][:, 1], [*range(6), *range(6)])
    assert arrays["features.stem.map"].shape == (12, 8 * 8 * 3)
    assert arrays["names"].tolist() == [b"tench", b"goldfish"]
    assert arrays["imagenet_index"].tolist() == [0, 1]
    assert arrays["head"].tolist() == [0] * 6 + [1] * 6
    assert arrays["path"][6] == b"n01443537/images/0.png"
    about = json.loads(bytes(arrays["about"][()]))
    assert (about["vision"], about["layers"]) == ("colours", ["pooled", "stem.map"])
    np.testing.assert_array_equal(arrays["text"][1], Letters("").encode(["a photo of a goldfish"])[0])
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
        "features.npz", "pictures",
    ]  # fmt: skip


def test_unreadable_pictures_are_listed_and_skipped(capsys, pictures, tmp_path):
    folder = pictures / TENCH
    whole = png((0, 9, 9), (64, 64))
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "torn.png").write_bytes(whole[: len(whole) // 2])
    (folder / "large.png").write_bytes(empty_png(10_500))
    (folder / "bomb.png").write_bytes(empty_png(60_000))
    (folder / "notes.txt").write_text("left out")
    (folder / ".hidden.png").write_bytes(whole)
    os.mkfifo(folder / "pipe.png")
    (folder / "loop").symlink_to(pictures, target_is_directory=True)
    out = tmp_path / "features.npz"
    status, printed, _ = imagenet(capsys, pictures, out, "--batch-size", 2)
    assert status == 0
    for name, why in (
        ("empty.png", "an empty file"), ("text.jpg", "not a picture"), ("torn.png", "truncated"),
        ("large.png", "10500 x 10500 pixels are too many"), ("bomb.png", "exceeds limit"),
    ):  # fmt: skip
        assert any(f"skipped {TENCH}/{name}: " in line and why in line for line in printed.splitlines()), printed
    arrays = store.read(out)
    assert len(arrays["features"]) == len(arrays["labels"]) == len(arrays["head"]) == 12
    assert len(arrays["skipped"]) == 5
    for path, (_, green, _) in zip(arrays["path"], arrays["features"], strict=True):
        assert path.endswith(f"images/{green:.0f}.png".encode())  # each row is still that of its own picture
    for path in folder.rglob("*.png"):
        if path.is_file():
            path.write_bytes(b"")
    status, _, error = imagenet(capsys, folder.parent, out, "--batch-size", 2)
    assert status == 0  # the goldfish are left
    for path in pictures.rglob("*.png"):
        if path.is_file():
            path.write_bytes(b"")
    status, _, error = imagenet(capsys, pictures, tmp_path / "none.npz")
    assert status == 2
    assert "None of the 17 pictures can be read. The first, n01440764/bomb.png: an empty file." in error


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from stub_encoders import Colours, Letters
from bridgeviz import cli, encoders
from bridgeviz.encoders import _shards
encoders.VISION["colours"], encoders.TEXT["letters"] = Colours, Letters
encoders.VISION = {{"colours": Colours}}
encoders.TEXT = {{"letters": Letters}}
_shards.SHARD_ROWS, Colours.kill_at = 4, 10
cli.main(sys.argv[1:])
"""


def test_a_killed_command_resumes_where_it_was(capsys, pictures, tmp_path, monkeypatch):
    out, whole = tmp_path / "features.npz", tmp_path / "whole.npz"
    arguments = ["features", "imagenet", "--images", str(pictures), "--vision", "colours", "--text", "letters"]
    code = KILLED.format(tests=str(Path(__file__).parent))
    killed = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--out", str(out), "--batch-size", "2"],
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9
    assert not out.exists()
    parts = tmp_path / "features.npz.parts"
    assert sorted(path.name for path in parts.glob("0*")) == ["000000.npz", "000001.npz"]
    monkeypatch.setattr(_shards, "SHARD_ROWS", 4)
    status, _, error = imagenet(capsys, pictures, out, "--batch-size", 2)
    assert status == 0, error
    assert Colours.encoded == 4 + 1  # the last shard, and the blank picture that tells the number of features
    assert not parts.exists()
    assert imagenet(capsys, pictures, whole)[0] == 0
    for name, values in store.read(whole).items():
        np.testing.assert_array_equal(values, store.read(out)[name])


def test_a_damaged_shard_is_encoded_again(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(_shards, "SHARD_ROWS", 4)
    found = open_pictures(pictures)
    run = encoders.encode_to(tmp_path / "a.npz", found, Colours(), finish=lambda encoded: {"rows": encoded.rows})
    for progress in run:
        if progress.done == 8:
            break
    run.close()
    shard = tmp_path / "a.npz.parts" / "000000.npz"
    shard.write_bytes(shard.read_bytes()[:-40])
    list(encoders.encode_to(tmp_path / "a.npz", found, Colours(), finish=lambda encoded: {"rows": encoded.rows}))
    assert store.read(tmp_path / "a.npz")["rows"].tolist() == list(range(12))


def interrupted(pictures: Path, out: Path, **options) -> None:
    run = encoders.encode_to(out, open_pictures(pictures), Colours(), finish=lambda _: {}, batch_size=2, **options)
    next(run)
    run.close()


def test_shards_of_other_settings_are_refused_and_can_be_discarded(capsys, pictures, tmp_path):
    out = tmp_path / "features.npz"
    interrupted(pictures, out, layers=["stem"])
    status, _, error = imagenet(capsys, pictures, out)
    assert status == 2
    assert "are of another command (layers ['stem.map']). Repeat that one, or discard them with --restart." in error
    assert imagenet(capsys, pictures, out, "--restart")[0] == 0
    interrupted(pictures, tmp_path / "b.npz")
    (pictures / TENCH / "images" / "0.png").write_bytes(png((0, 0, 0), (90, 90)))
    assert "its pictures were not these" in imagenet(capsys, pictures, tmp_path / "b.npz")[2]
    (tmp_path / "c.npz.parts").mkdir()
    (tmp_path / "c.npz.parts" / "thesis.txt").write_text("precious")
    assert "holds no unfinished features" in imagenet(capsys, pictures, tmp_path / "c.npz", "--restart")[2]
    assert (tmp_path / "c.npz.parts" / "thesis.txt").read_text() == "precious"


def test_two_commands_never_write_the_same_file(capsys, pictures, tmp_path):
    with FileLock(tmp_path / ".features.npz.lock"):
        status, _, error = imagenet(capsys, pictures, tmp_path / "features.npz")
    assert status == 2
    assert "Another process is writing" in error


def test_memory_stays_bounded(tmp_path, monkeypatch):
    """60 pictures of 400 kB are 24 MB; shards of 2 MB and batches of 4 need no more than a few of them."""
    monkeypatch.setattr(_shards, "SHARD_BYTES", 2 * 2**20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for k in range(60):
            archive.writestr(f"{k:02d}.png", png((k, k, k)))
    out = tmp_path / "wide.npz"
    tracemalloc.start()
    try:
        run = encoders.encode_to(
            out, open_pictures(tmp_path / "a.zip"), Wide(), batch_size=4,
            finish=lambda encoded: {"features": encoded.layers["wide"]},
        )  # fmt: skip
        list(run)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    features = store.read(out)["features"]
    assert features.shape == (60, 200_000)
    np.testing.assert_array_equal(features[:, -1], np.arange(60))
    assert out.stat().st_size > 24e6
    assert peak < 16e6


def test_bad_input_is_refused_before_any_picture_is_encoded(capsys, pictures, tmp_path, monkeypatch):
    out = tmp_path / "features.npz"
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.png").write_bytes(png("red"))
    (tmp_path / "one" / "class").mkdir(parents=True)
    (tmp_path / "one" / "class" / "a.png").write_bytes(png("red"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "taken.npz").mkdir()
    cases = [
        ((tmp_path / "nowhere", out), "does not exist"),
        ((tmp_path / "empty", out), "must end in one of .jpg"),
        ((tmp_path / "torn.zip", out), "torn.zip can't be read"),
        ((tmp_path / "flat", out), "a.png lies in none"),
        ((tmp_path / "one", out), "at least two classes"),
        ((pictures, tmp_path / "features.npy"), "must be a file that ends in .npz"),
        ((pictures, tmp_path / "taken.npz"), "must be a file that ends in .npz"),
        ((pictures, tmp_path / "no" / "such" / "f.npz"), "must be in a writable folder"),
        ((pictures, out, "--layer", "polled"), "must be one of: stem.map, pooled, scores. Got 'polled'"),
        ((pictures, out, "--grid", "0"), "'grid' of features() must be an integer >= 1"),
        ((pictures, out, "--batch-size", "-2"), "'batch-size' of features() must be an integer >= 1"),
    ]
    for arguments, message in cases:
        status, _, error = imagenet(capsys, *arguments)
        assert status == 2, arguments
        assert message in error
        assert "Traceback" not in error
    status, _, error = imagenet(capsys, pictures, out, vision="/no such model/")
    assert (status, "colours: the name colours" in error) == (2, True)
    assert "need --images" in command(capsys, "features", "imagenet", "--vision", "colours")[2]
    assert (
        "has no option 'images' for 'tiny-imagenet'"
        in command(capsys, "features", "tiny-imagenet", "--images", pictures)[2]
    )
    assert Colours.encoded == 0
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.statvfs_result([0] * 10) and type("U", (), {"free": 10}))
    assert "GB left. Choose another disk" in imagenet(capsys, pictures, out)[2]
    assert not out.exists()


def test_folders_and_archives_give_the_same_pictures(pictures, tmp_path):
    listed = open_pictures(pictures)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped, tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in reversed(listed.names):
            zipped.write(pictures / name, name)
            tar.add(pictures / name, name)
    for path in (tmp_path / "a.zip", tmp_path / "a.tar"):
        with open_pictures(path) as archive:
            assert archive.names == listed.names == sorted(listed.names)
            assert archive.sizes == listed.sizes
            np.testing.assert_array_equal(np.asarray(archive.open(7)), np.asarray(listed.open(7)))
    (tmp_path / "b.tar").write_bytes((tmp_path / "a.zip").read_bytes())
    with pytest.raises(bv.InputError, match=r"b.tar can't be read"):
        open_pictures(tmp_path / "b.tar")


def test_nothing_is_unpacked_from_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../escaped.png", png("red"))
        archive.writestr("/abs/escaped.png", png("red"))
    found = open_pictures(tmp_path / "a.zip")
    assert found.open(0).size == (10, 10)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zip"]
    assert not (tmp_path.parent / "escaped.png").exists()


def test_a_file_that_inflates_beyond_the_limit_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("bridgeviz.encoders._pictures.MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * 10_000_000)
    with pytest.raises(Unreadable, match="more than 0 MB"):
        open_pictures(tmp_path / "a.zip").open(0)


def test_features_in_memory_have_one_row_per_picture(pictures):
    found = open_pictures(pictures)
    values = encoders.features(found, Colours(), ["pooled", "stem"], batch_size=5)
    assert {name: array.shape for name, array in values.items()} == {"pooled": (12, 3), "stem.map": (12, 192)}
    np.testing.assert_array_equal(values["pooled"][:, 1], [*range(6), *range(6)])
    assert encoders.features(found, Colours(), ["stem"], grid=2)["stem.map"].shape == (12, 2 * 2 * 3)
    (pictures / TENCH / "images" / "3.png").write_bytes(b"")
    with pytest.raises(bv.InputError, match=r"3.png can't be read: an empty file"):
        encoders.features(open_pictures(pictures), Colours())


@pytest.mark.parametrize("grid", [1, 2, 3, 5, 7, 9])
def test_a_grid_averages_the_cells_of_a_map(grid):
    maps = np.random.default_rng(0).normal(size=(2, 7, 5, 3))
    rows, cols = (np.linspace(0, side, min(grid, side) + 1).astype(int) for side in (7, 5))
    means = [maps[:, a:b, c:d].mean((1, 2)) for a, b in pairwise(rows) for c, d in pairwise(cols)]
    np.testing.assert_allclose(flat(maps, grid), np.stack(means, 1).reshape(2, -1))
    np.testing.assert_array_equal(flat(maps, None), maps.reshape(2, -1))


def test_a_layer_is_found_by_a_part_of_its_name_that_no_other_has():
    encoder = Colours()
    assert encoder.layer("stem") == "stem.map"
    assert encoder.layer("pooled") == "pooled"
    with pytest.raises(bv.InputError, match=r"must be one layer. 2 match: pooled, scores."):
        encoder.layer("o")


def test_a_square_is_cropped_to_the_centre_or_holds_the_whole():
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :40] = 255  # a white bar at the left end
    picture = Image.fromarray(pixels)
    cropped, whole = squared(picture, 56, whole=False), squared(picture, 56, whole=True)
    assert cropped.shape == whole.shape == (56, 56, 3)
    assert cropped.max() < 60  # the bar is outside the central square
    assert whole[28, 5, 0] == 255
    assert squared(Image.new("RGB", (3, 500)), 56, whole=False).shape == (56, 56, 3)


def test_a_store_is_read_by_memory_map_and_refused_if_it_is_damaged(tmp_path):
    path = tmp_path / "a.npz"
    parts = store.Parts((4, 2), np.float16, (np.full((2, 2), k) for k in (1, 2)))
    store.write(path, {"x": parts, "one": np.array(b"text"), "none": np.zeros((0, 3)), "n": np.arange(3)})
    arrays = store.read(path)
    assert isinstance(arrays["x"], np.memmap)
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            np.testing.assert_array_equal(file[name], arrays[name])
            assert file[name].dtype == arrays[name].dtype
    assert arrays["x"][:, 0].tolist() == [1, 1, 2, 2]
    with pytest.raises(RuntimeError, match="must have 4 rows, and 2 were written"):
        store.write(path, {"x": store.Parts((4, 2), np.float16, [np.ones((2, 2))])})
    assert np.array_equal(store.read(path)["n"], [0, 1, 2])  # the file is still the earlier one

    whole = path.read_bytes()
    at = whole.index(b"(4, 2)")
    for damaged in (whole[:-60], whole[:200], b"", whole[:at] + b"(4,9999" + whole[at + 7 :]):
        path.write_bytes(damaged)
        with pytest.raises(bv.InputError, match=r"a.npz can't be read"):
            store.read(path)
    np.savez_compressed(path, x=np.ones(3))
    with pytest.raises(bv.InputError, match="is compressed"):
        store.read(path)
    np.savez(path, x=np.array([{}]), allow_pickle=True)
    with pytest.raises(bv.InputError, match="not a plain array"):
        store.read(path)


@pytest.mark.parametrize(
    ("model", "package"),
    [("efficientnet-lite0", "torch"), ("a.tflite", "ai_edge_litert"), ("google/vit", "transformers")],
)
def test_a_missing_package_is_named(model, package, monkeypatch):
    for name in ("torch", "transformers", "ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(bv.InputError, match=r"pip install 'bridgeviz\[encoders\]'") as caught:
        encoders.open_vision(model)
    assert package.replace("_", "-") in str(caught.value)


def test_the_room_imports_no_framework():
    code = "import sys, bridgeviz.encoders; print([m for m in ('torch', 'jax', 'PIL', 'scipy') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
