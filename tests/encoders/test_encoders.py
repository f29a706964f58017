"""The frozen models: their layers against the convolutions of XLA, their training, and their files."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.encoders.training import (
    VAEConfig,
    bernoulli_loss,
    categorical_loss,
    fit_vae,
    load_weights,
    save_weights,
)
from bridgeviz.encoders.vae import DenseVAE, Double, Halve, ImageVAE, digits_vae, text_vae

PLAIN = ("NHWC", "HWIO", "NHWC")


@pytest.mark.parametrize(("height", "width"), [(4, 4), (7, 7), (28, 28), (5, 8), (1, 2)])
def test_halve_is_a_strided_convolution_with_same_padding(height, width):
    layer = Halve(3, 5, rngs=nnx.Rngs(0))
    layer.linear.bias.set_value(jnp.arange(5.0))
    h = jnp.asarray(np.random.default_rng(0).normal(size=(2, height, width, 3)), jnp.float32)
    kernel = layer.linear.kernel.get_value().reshape(3, 3, 3, 5)
    theirs = jax.lax.conv_general_dilated(h, kernel, (2, 2), "SAME", dimension_numbers=PLAIN) + jnp.arange(5.0)
    np.testing.assert_allclose(layer(h), theirs, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (3, 6)])
def test_double_is_a_transposed_convolution(height, width):
    """`conv_transpose` does not flip its kernel, so the kernel is rotated by 180 degrees first."""
    layer = Double(3, 5, rngs=nnx.Rngs(0))
    layer.bias.set_value(jnp.arange(5.0))
    h = jnp.asarray(np.random.default_rng(0).normal(size=(2, height, width, 3)), jnp.float32)
    kernel = layer.linear.kernel.get_value().reshape(3, 3, 3, 5).transpose(1, 2, 0, 3)
    full = jax.lax.conv_transpose(h, kernel[::-1, ::-1], (2, 2), "VALID", dimension_numbers=PLAIN)
    theirs = full[:, : 2 * height, : 2 * width] + jnp.arange(5.0)
    assert layer(h).shape == (2, 2 * height, 2 * width, 5)
    np.testing.assert_allclose(layer(h), theirs, atol=1e-5)


def test_shapes_agree_with_table_2():
    image = nnx.eval_shape(lambda: ImageVAE(rngs=nnx.Rngs(0)))
    mean, logvar = nnx.eval_shape(lambda model, x: model.encode(x), image, jnp.zeros((2, 28, 28)))
    assert mean.shape == logvar.shape == (2, 16)
    assert nnx.eval_shape(lambda model, z: model.decode(z), image, jnp.zeros((2, 16))).shape == (2, 28, 28)
    text = text_vae(nnx.Rngs(0))
    assert text.encode(jnp.eye(10))[0].shape == (10, 4)
    assert text.decode(jnp.zeros((3, 4))).shape == (3, 10)
    assert digits_vae(nnx.Rngs(0)).encode(jnp.zeros((2, 64)))[0].shape == (2, 8)


def test_losses_agree_with_numpy():
    rng = np.random.default_rng(0)
    logits, x = rng.normal(size=(4, 2, 3)), rng.integers(0, 2, (4, 2, 3))
    p = 1 / (1 + np.exp(-logits))
    theirs = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2))
    np.testing.assert_allclose(bernoulli_loss(jnp.asarray(logits), jnp.asarray(x)), theirs, rtol=1e-5)
    flat, one_hot = logits.reshape(4, 6), np.eye(6)[[0, 5, 2, 2]]
    logp = flat - np.log(np.exp(flat).sum(1, keepdims=True))
    np.testing.assert_allclose(
        categorical_loss(jnp.asarray(flat), jnp.asarray(one_hot)), -(one_hot * logp).sum(1), rtol=1e-5
    )


def tiny() -> DenseVAE:
    return DenseVAE((8, 16), 2, (16, 8), rngs=nnx.Rngs(0))


def test_training_lowers_the_loss_and_is_reproducible():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (3, 8))
    data = codes[np.arange(130) % 3].astype(np.uint8)
    config = VAEConfig(epochs=25, batch_size=32, learning_rate=1e-2, kl_weight=0.5)
    runs = [list(fit_vae(tiny(), data, config, loss=bernoulli_loss, block=4)) for _ in range(2)]
    first, last = runs[0][0], runs[0][-1]
    assert last.reconstruction + 0.5 * last.kl < 0.6 * (first.reconstruction + 0.5 * first.kl)
    assert last.kl > 0
    assert (first.step, last.step, last.steps) == (4, 100, 100)
    assert [p.reconstruction for p in runs[0]] == [p.reconstruction for p in runs[1]]
    model = tiny()
    nnx.update(model, last.params)
    decoded = np.asarray(jax.nn.sigmoid(model.decode(model.encode(jnp.asarray(codes, jnp.float32))[0]))) > 0.5
    assert (decoded == codes).mean() > 0.9


def test_weights_are_saved_and_loaded(tmp_path):
    model = tiny()
    save_weights(tmp_path / "w.npz", model)
    other = DenseVAE((8, 16), 2, (16, 8), rngs=nnx.Rngs(1))
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, 8)), jnp.float32)
    assert np.abs(other.encode(x)[0] - model.encode(x)[0]).max() > 0.05
    loaded = load_weights(tmp_path / "w.npz", other)
    np.testing.assert_allclose(loaded.encode(x)[0], model.encode(x)[0], atol=5e-3)  # stored as float16
    with np.load(tmp_path / "w.npz", allow_pickle=False) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}


def test_a_file_without_the_weights_of_the_model_is_refused(tmp_path):
    path = tmp_path / "w.npz"
    with pytest.raises(bv.InputError, match=r"can't be read .*Run `bridgeviz pretrain`"):
        load_weights(path, tiny())
    path.write_bytes(b"not a zip file")
    with pytest.raises(bv.InputError, match="can't be read"):
        load_weights(path, tiny())
    save_weights(path, tiny())
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(bv.InputError, match="can't be read"):
        load_weights(path, tiny())
    save_weights(path, text_vae(nnx.Rngs(0)))
    with pytest.raises(bv.InputError, match=r"must hold '.*' of shape .*Got .* instead"):
        load_weights(path, tiny())
    np.savez(path, nothing=np.ones(3))
    with pytest.raises(bv.InputError, match="Got nothing instead"):
        load_weights(path, tiny())
