"""The same networks in PyTorch."""

from __future__ import annotations

import pathlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from peers import workloads


def _fill(layer: nn.Module, weight: np.ndarray, bias: np.ndarray) -> nn.Module:
  layer.load_state_dict(
    {'weight': torch.from_numpy(weight.copy()), 'bias': torch.from_numpy(bias.copy())}
  )
  return layer


def _linear(arrays: workloads.Arrays, name: str) -> nn.Module:
  kernel = arrays[f'{name}/kernel']
  return _fill(nn.Linear(*kernel.shape), kernel.T, arrays[f'{name}/bias'])


def _norm(arrays: workloads.Arrays, name: str) -> nn.Module:
  scale = arrays[f'{name}/scale']
  layer = nn.LayerNorm(len(scale), eps=workloads.NORM_EPSILON)
  return _fill(layer, scale, arrays[f'{name}/bias'])


class Mochizuki3D(nn.Module):
  """Table II: (N, C, T, H, W) inside, the order of axes that PyTorch uses."""

  def __init__(self, arrays: workloads.Arrays):
    super().__init__()
    layers: list[nn.Module] = []
    for block in (1, 2):
      for number in (1, 2):
        kernel = arrays[f'conv{block}_{number}/kernel']  # (T, H, W, in, out)
        conv = nn.Conv3d(kernel.shape[3], kernel.shape[4], kernel.shape[:3], padding='same')
        bias = arrays[f'conv{block}_{number}/bias']
        layers += [_fill(conv, kernel.transpose(4, 3, 0, 1, 2), bias), nn.ReLU()]
      layers += [nn.MaxPool3d((2, 5, 5), stride=1), nn.Dropout(0.3)]
    self.layers = nn.Sequential(*layers)
    channels = kernel.shape[4]
    dense = arrays['dense/kernel']
    # Ours flattens (T, H, W, C), this (C, T, H, W): the weights are turned, not the activations.
    turned = dense.reshape(3, 32, 32, channels, -1).transpose(3, 0, 1, 2, 4).reshape(dense.shape)
    self.dense = _linear({'d/kernel': turned, 'd/bias': arrays['dense/bias']}, 'd')
    self.output = _linear(arrays, 'output')

  def forward(self, x: torch.Tensor) -> torch.Tensor:
    x = self.layers(x.permute(0, 4, 1, 2, 3))
    return self.output(functional.relu(self.dense(x.flatten(1))))


def _patches(x: torch.Tensor, size: int) -> torch.Tensor:
  n, h, w, c = x.shape
  x = x.reshape(n, h // size, size, w // size, size, c).permute(0, 1, 3, 2, 4, 5)
  return x.reshape(n, h // size, w // size, size * size * c)


class ConvolutionalBody(nn.Module):
  """`grfjax.models.walker_networks.ConvolutionalBody`."""

  def __init__(self, arrays: workloads.Arrays):
    super().__init__()
    dilations = workloads.CONVOLUTIONAL['dilations']
    self.first, self.second = _linear(arrays, 'patches'), _linear(arrays, 'blocks')
    self.norms = nn.ModuleList(_norm(arrays, f'norm_{k}') for k in range(len(dilations)))
    self.norm = _norm(arrays, 'norm')
    self.places, self.moving = _linear(arrays, 'places'), _linear(arrays, 'moving')
    self.convs = nn.ModuleList()
    for k, dilation in enumerate(dilations):
      kernel = arrays[f'conv_{k}/kernel']  # (3, in, out)
      conv = nn.Conv1d(kernel.shape[1], kernel.shape[2], 3, padding=dilation, dilation=dilation)
      self.convs.append(_fill(conv, kernel.transpose(2, 1, 0), arrays[f'conv_{k}/bias']))
    self.mix = nn.ModuleList(_linear(arrays, f'mix_{k}') for k in range(len(dilations)))
    self.output = _linear(arrays, 'output')
    self.dropout = nn.Dropout(workloads.CONVOLUTIONAL['dropout'])

  def forward(self, x: torch.Tensor, motion: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    b, t = x.shape[:2]
    x = _patches(x.flatten(0, 1), 4).unflatten(0, (b, t))
    x = torch.cat([x, torch.diff(x, dim=1, prepend=x[:, :1])], -1).flatten(0, 1)
    x = functional.gelu(self.first(x), approximate='tanh')
    x = functional.gelu(self.second(_patches(x, 3)), approximate='tanh')
    x = self.places(self.dropout(x.flatten(1))).unflatten(0, (b, t)) + self.moving(motion)
    for norm, conv, mix in zip(self.norms, self.convs, self.mix, strict=True):
      h = conv((norm(x) * visible).transpose(1, 2))
      x = x + mix(self.dropout(functional.gelu(h, approximate='tanh').transpose(1, 2)))
    return self.output(self.norm(x)).unflatten(-1, (2, -1))


class Peer:
  """Training and inference of one network."""

  def __init__(
    self,
    work: workloads.Work,
    weights: pathlib.Path,
    device: str = 'cpu',
    dtype: str = 'float32',
  ):
    """Reads the weights.

    Args:
      work: the network.
      weights: the file that `peers.ours` wrote.
      device: where it is trained.
      dtype: what layers compute in; in bfloat16 PyTorch's autocast chooses which of them do.
    """
    arrays = workloads.read_weights(weights)
    inputs, labels = workloads.data(work)
    self._inputs = [torch.from_numpy(x).to(device) for x in inputs]
    self._convolutional = work.model == 'convolutional'
    labels = labels if self._convolutional else labels.astype(np.int64)
    self._labels = torch.from_numpy(labels).to(device)
    self._model = (ConvolutionalBody if self._convolutional else Mochizuki3D)(arrays).to(device)
    self._autocast = torch.autocast(device, torch.bfloat16, enabled=dtype == 'bfloat16')
    self._adam = torch.optim.Adam(self._model.parameters(), workloads.LEARNING_RATE, fused=True)

  def train(self) -> float:
    """Makes one training step; returns its loss."""
    self._model.train()
    self._adam.zero_grad(set_to_none=True)
    with self._autocast:
      y = self._model(*self._inputs).float()
    if self._convolutional:
      loss = (y - self._labels).abs().mean()
    else:
      loss = functional.cross_entropy(y, self._labels)
    loss.backward()
    self._adam.step()
    return loss.item()

  def forward(self) -> np.ndarray:
    """Returns the network's outputs."""
    self._model.eval()
    with torch.inference_mode():
      return self._model(*self._inputs).numpy()
