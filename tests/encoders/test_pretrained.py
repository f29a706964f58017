"""The pretrained encoders themselves; collected where `bridgeviz[encoders]` is installed (see conftest.py)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import bridgeviz as bv
from bridgeviz import cli, encoders
from bridgeviz.datasets import _tiny_imagenet
from bridgeviz.datasets._imagenet_classes import encode_names
from bridgeviz.encoders import EfficientNetLite0, TFLite, Transformers, store

pytestmark = pytest.mark.filterwarnings("ignore")  # those of foreign packages

DATA = Path(os.environ.get("BRIDGEVIZ_DATA", "."))
MOBILENET = DATA / "encoders" / "tf2_mobilenet_v2_1.0_224_ptq.tflite"
PAPER = ("layer1", "layer2", "layer3", "layer5", "layer6", "features")


def noise(seed: int = 0, size=(80, 60)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.fixture(scope="module")
def efficientnet() -> EfficientNetLite0:
    return EfficientNetLite0()


@pytest.fixture(scope="module")
def mobilenet() -> TFLite:
    return TFLite(str(MOBILENET))


def validation_pictures(count: int):
    """Some validation pictures of Tiny-ImageNet, their numbers in the archive, and the rows of the stored features."""
    pictures = encoders.open_pictures(DATA / "tiny_imagenet" / "val.tar")
    row = {name.rpartition("/")[2]: k for k, name in enumerate(pictures.names)}
    stored = _tiny_imagenet.full_features("val")
    return pictures, [row[str(path).rpartition("/")[2]] for path in stored["path"][:count]], stored


def test_efficientnet_agrees_with_the_package_that_it_comes_from(efficientnet):
    batch = np.stack([efficientnet.prepare(noise(k)) for k in range(3)])
    with torch.inference_mode():
        theirs = efficientnet._network(torch.from_numpy(batch)).numpy()
        their_map = efficientnet._network.extract_features(torch.from_numpy(batch)).numpy()
    ours = efficientnet.encode(batch, ["scores", "features", "pooled"])
    np.testing.assert_allclose(ours["scores"], theirs, atol=1e-3)
    np.testing.assert_allclose(ours["features"], their_map.transpose(0, 2, 3, 1), atol=1e-3)
    np.testing.assert_allclose(ours["pooled"], ours["features"].mean((1, 2)), atol=1e-4)


def test_the_layers_of_the_paper_are_there_by_name(efficientnet):
    batch = np.stack([efficientnet.prepare(noise())])
    values = efficientnet.encode(batch, efficientnet.layers)
    assert set(values) == set(efficientnet.layers)
    shapes = {name: values[name].shape[1:] for name in PAPER}
    assert shapes == {
        "layer1": (112, 112, 16), "layer2": (56, 56, 24), "layer3": (28, 28, 40), "layer5": (14, 14, 112),
        "layer6": (7, 7, 192), "features": (7, 7, 1280),
    }  # fmt: skip
    np.testing.assert_array_equal(values["layer7"], values["block16"])
    np.testing.assert_array_equal(values["layer3"], values["block5"])


@pytest.mark.data
def test_efficientnet_recognises_pictures(efficientnet):
    pictures, rows, stored = validation_pictures(60)
    with pictures:
        batch = np.stack([efficientnet.prepare(pictures.open(row), whole=True) for row in rows])
    predicted = efficientnet.encode(batch, ["scores"])["scores"].argmax(1)
    assert (predicted == stored["imagenet_index"][:60]).mean() > 0.2  # 0.30 over all 10,100; chance is 0.001


@pytest.mark.data
def test_mobilenet_reproduces_the_stored_features(mobilenet):
    pictures, rows, stored = validation_pictures(20)
    with pictures:
        batch = np.stack([mobilenet.prepare(pictures.open(row), whole=True) for row in rows])
    values = mobilenet.encode(batch, [mobilenet.default, mobilenet.head])
    assert values[mobilenet.default].shape == (20, 1280)
    assert values[mobilenet.head].shape == (20, 1000)
    theirs = stored["features"][:20].astype(float)
    assert np.corrcoef(values[mobilenet.default].ravel(), theirs.ravel())[0, 1] > 0.999


@pytest.mark.data
def test_every_layer_of_a_tflite_file_is_readable(mobilenet):
    batch = mobilenet.prepare(noise())[None]
    for name in mobilenet.layers[::9]:
        values = mobilenet.encode(batch, [name])[name]
        assert np.isfinite(values).all()
        assert values.shape[0] == 1
    values = mobilenet.encode(batch, [mobilenet.layer("Conv2d_18_1"), mobilenet.default])
    maps, pooled = values[mobilenet.layer("Conv2d_18_1")], values[mobilenet.default]
    assert maps.shape == (1, 7, 7, 1280)
    means = np.minimum(maps.mean((1, 2)), pooled.max())  # the range of the quantised means ends there
    np.testing.assert_allclose(means, pooled, atol=0.05)


def test_a_file_that_is_no_tflite_model_is_refused(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"not a flatbuffer")
    for name in ("a.tflite", "missing.tflite"):
        with pytest.raises(bv.InputError, match=f"{name}' can't be loaded"):
            encoders.open_vision(str(tmp_path / name))


def test_minilm_reproduces_the_shipped_embeddings():
    text = _tiny_imagenet.text_of_classes()
    names = [str(name) for name in text["names"][:8]]
    encoded = encode_names(encoders.open_text("all-MiniLM-L6-v2"), names)
    np.testing.assert_allclose(encoded, text["text"][:8], atol=2e-3)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    """Small, randomly initialised models of transformers, saved as their authors would save them."""
    import transformers as hub

    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    vit = hub.ViTConfig(**small, image_size=32, patch_size=8, num_labels=1000)
    resnet = hub.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    hub.ViTForImageClassification(vit).save_pretrained(folder / "vit")
    hub.ViTModel(vit).save_pretrained(folder / "body")
    hub.ResNetModel(resnet).save_pretrained(folder / "resnet")
    square = {"height": 32, "width": 32}
    for name in ("vit", "body"):
        hub.ViTImageProcessor(size=square).save_pretrained(folder / name)
    hub.ViTImageProcessor(size=square).save_pretrained(folder / "resnet")
    return {path.name: path for path in folder.iterdir()}


def test_vit_gives_the_classification_token_of_its_last_layer(models):
    import transformers as hub

    encoder = encoders.open_vision(str(models["vit"]))
    assert isinstance(encoder, Transformers)
    assert encoder.layers == ("hidden0", "hidden1", "hidden2", "cls", "scores")
    assert (encoder.default, encoder.head) == ("cls", "scores")
    pictures = [noise(k) for k in range(3)]
    batch = np.stack([encoder.prepare(picture) for picture in pictures])
    values = encoder.encode(batch, encoder.layers)
    model = hub.ViTForImageClassification.from_pretrained(models["vit"]).eval()
    inputs = hub.ViTImageProcessor.from_pretrained(models["vit"])(pictures, return_tensors="pt")
    with torch.inference_mode():
        token = model.vit(**inputs).last_hidden_state[:, 0]
        scores = model(**inputs).logits
    np.testing.assert_allclose(values["cls"], token, atol=1e-4)
    np.testing.assert_allclose(values["scores"], scores, atol=1e-4)
    assert values["hidden1"].shape == (3, 32)


def test_models_without_a_head_or_without_tokens(models):
    body, resnet = (encoders.open_vision(str(models[name])) for name in ("body", "resnet"))
    assert (body.default, body.head) == ("cls", None)
    assert (resnet.default, resnet.head) == ("pooled", None)
    batch = np.stack([resnet.prepare(noise(k), whole=True) for k in range(2)])
    assert resnet.encode(batch, ["pooled"])["pooled"].shape == (2, 16)
    assert resnet.encode(batch, ["hidden1"])["hidden1"].ndim == 4
    assert body.digest != resnet.digest


def write_pictures(folder: Path) -> Path:
    for k, wnid in enumerate(("n01440764", "n01443537")):
        (folder / wnid).mkdir(parents=True)
        for row in range(12):
            noise(100 * k + row).save(folder / wnid / f"{row}.jpg")
    return folder


@pytest.mark.parametrize("vision", ["efficientnet-lite0", "mobilenet", "vit"])
@pytest.mark.data
def test_the_command_encodes_a_folder(vision, models, tmp_path, capsys):
    pictures = write_pictures(tmp_path / "pictures")
    model = {"mobilenet": str(MOBILENET), "vit": str(models["vit"])}.get(vision, vision)
    out = tmp_path / "features.npz"
    arguments = ["features", "imagenet", "--images", str(pictures), "--vision", model, "--out", str(out)]
    with pytest.raises(SystemExit) as status:
        cli.main(arguments)
    assert status.value.code == 0, capsys.readouterr()
    arrays = store.read(out)
    assert arrays["features"].shape == (24, {"vit": 32}.get(vision, 1280))
    assert arrays["text"].shape == (2, 384)
    assert len(arrays["head"]) == 24
    assert json.loads(bytes(arrays["about"][()]))["text"] == "all-MiniLM-L6-v2"
    problem = bv.load("imagenet", file=out)
    assert problem.shape == (12, 12)
    assert 0 <= bv.datasets.ImageNet(file=str(out)).head_accuracy() <= 1
    encoder = encoders.open_vision(model)
    row = [bytes(path).decode() for path in arrays["path"]].index("n01443537/3.jpg")
    with Image.open(pictures / "n01443537" / "3.jpg") as picture:
        alone = encoder.encode(encoder.prepare(picture.convert("RGB"))[None], [encoder.default])[encoder.default][0]
    np.testing.assert_allclose(arrays["features"][row], alone, atol=2e-2)


def test_a_model_that_is_not_there_is_refused_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(bv.InputError, match=re.escape(f"The model '{tmp_path}' can't be loaded: ")) as caught:
        encoders.open_vision(str(tmp_path))
    assert "\n" not in str(caught.value)
