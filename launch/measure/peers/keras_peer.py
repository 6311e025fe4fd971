"""The same networks in Keras on TensorFlow, the library of the paper."""

from __future__ import annotations

import os
import pathlib

import numpy as np

os.environ['KERAS_BACKEND'] = 'tensorflow'
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
import keras
from keras import layers, ops

from peers import workloads


def _mochizuki3d(channels: int) -> keras.Model:
  x = inputs = keras.Input((5, 40, 40, 1))
  for block in (1, 2):
    for number in (1, 2):
      name = f'conv{block}_{number}'
      x = layers.Conv3D(channels, (2, 5, 5), padding='same', activation='relu', name=name)(x)
    x = layers.Dropout(0.3)(layers.MaxPooling3D((2, 5, 5), strides=1)(x))
  x = layers.Dense(128, activation='relu', name='dense')(layers.Flatten()(x))
  return keras.Model(inputs, layers.Dense(150, name='output')(x))


def _convolutional_body() -> keras.Model:
  width, features, dilations = (
    workloads.CONVOLUTIONAL[k] for k in ('width', 'features', 'dilations')
  )
  t, h, w, c = workloads.FRAMES, workloads.ROWS, workloads.COLUMNS, workloads.PLANES
  picture = keras.Input((t, h, w, c))
  motion, visible = keras.Input((t, workloads.MOVING)), keras.Input((t, 1))

  def gelu(v):
    return ops.gelu(v, approximate=True)

  def norm(name: str):
    return layers.LayerNormalization(epsilon=workloads.NORM_EPSILON, name=name)

  def patches(v, size: int):
    h, w, c = v.shape[-3:]
    v = ops.reshape(v, (-1, h // size, size, w // size, size, c))
    v = ops.transpose(v, (0, 1, 3, 2, 4, 5))
    return ops.reshape(v, (-1, h // size, w // size, size * size * c))

  x = patches(picture, 4)
  x = ops.reshape(x, (-1, t, *x.shape[1:]))
  x = ops.concatenate([x, x - ops.concatenate([x[:, :1], x[:, :-1]], 1)], -1)
  x = ops.reshape(x, (-1, *x.shape[2:]))
  x = gelu(layers.Dense(width, name='patches')(x))
  x = gelu(layers.Dense(3 * width, name='blocks')(patches(x, 3)))
  x = ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3]))
  x = layers.Dropout(workloads.CONVOLUTIONAL['dropout'])(x)
  x = ops.reshape(layers.Dense(features, name='places')(x), (-1, t, features))
  x = x + layers.Dense(features, name='moving')(motion)
  for k, dilation in enumerate(dilations):
    conv = layers.Conv1D(features, 3, padding='same', dilation_rate=dilation, name=f'conv_{k}')
    h = layers.Dropout(workloads.CONVOLUTIONAL['dropout'])(
      gelu(conv(norm(f'norm_{k}')(x) * visible))
    )
    x = x + layers.Dense(features, name=f'mix_{k}')(h)
  x = norm('norm')(x)
  x = layers.Dense(6, name='output')(x)
  return keras.Model([picture, motion, visible], ops.reshape(x, (-1, t, 2, 3)))


class Peer:
  """Training and inference of one network; `jit_compile` is Keras's switch for XLA."""

  def __init__(self, work: workloads.Work, weights: pathlib.Path, jit_compile: bool = False):
    arrays = workloads.read_weights(weights)
    inputs, labels = workloads.data(work)
    convolutional = work.model == 'convolutional'
    self._model = _convolutional_body() if convolutional else _mochizuki3d(work.channels)
    for layer in self._model.layers:
      kind = ('scale', 'bias') if layer.name.startswith('norm') else ('kernel', 'bias')
      if layer.weights:
        layer.set_weights([arrays[f'{layer.name}/{k}'] for k in kind])
    loss = (
      'mean_absolute_error' if convolutional else keras.losses.SparseCategoricalCrossentropy(True)
    )
    self._model.compile(
      keras.optimizers.Adam(workloads.LEARNING_RATE), loss, jit_compile=jit_compile
    )  # fmt: skip
    self._x = [ops.convert_to_tensor(x) for x in inputs]
    self._x = self._x if convolutional else self._x[0]
    self._y = ops.convert_to_tensor(labels)
    import tensorflow as tf

    self._predict = tf.function(lambda x: self._model(x, training=False), jit_compile=jit_compile)

  def train(self) -> float:
    """Makes one training step; returns its loss."""
    return float(self._model.train_on_batch(self._x, self._y))

  def forward(self) -> np.ndarray:
    """Returns the network's outputs."""
    return self._predict(self._x).numpy()
