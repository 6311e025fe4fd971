"""A network that is compiled in an instant, for tests of how training runs."""

import jax
from flax import linen as nn

from grfjax.models import paper_networks


class SmallNetwork(paper_networks.PaperNetwork):
  """Two dense layers on the last frame, with dropout."""

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C) to (B, 1, 1, outputs)."""
    x = x[:, -1].reshape(len(x), -1)
    x = nn.relu(nn.Dense(self.dense)(x))
    x = nn.Dropout(self.dropout, deterministic=not train)(x)
    return nn.Dense(self.outputs)(x)[:, None, None, :]
