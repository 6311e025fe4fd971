"""Random edits of files: bits, bytes, cells, lines and counts that formats break on."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

# Cells that tables break on, and counts that binary formats break on.
TOKENS = (
  b'', b'nan', b'-inf', b'1e999', b'-1', b'0', b'1_0', b'0x1F', b'1,5', b'1.000,5', b'"', b"'",
  b';', b',', b'\t', b'\n', b'\r\n', b'\0', b'\xef\xbb\xbf', b'\xff\xfe', b'\xe9', b'..', b'../x',
  b'/etc/passwd', b'\\', b'<b>', b'&', b'left', b'right', b'left;left', b'time_s', b'fz_1', b'{',
  b'}', b'[', b'null', b'true', b'""', b'1,234', b'1 234', b'\xa0', b'(kN)', b'BW', b'Devices',
  b'# ', b'FREQUENCY', b'[axes]', b"'x'", b'{plate}', b'9' * 40,
  '\u0663\u202e\u2028'.encode(), b'\x00\x00',
  b'\xff\xff', b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff', b'\x00\x00\x00\x80', b'\x01\x00',
)  # fmt: skip
KINDS = ('flip', 'put', 'insert', 'cell', 'cut', 'drop', 'twice', 'zero', 'line', 'lines')


@dataclasses.dataclass(frozen=True)
class Edit:
  """One change of a file.

  Attributes:
    kind: one of `KINDS`.
    where: place, as a share of the file's length, 0 to 1.
    token: the bytes that are put there, where the kind puts any.
    size: the number of bytes, or of the bit.
  """

  kind: str
  where: float
  token: bytes
  size: int


def apply_edits(data: bytes, edits: Iterable[Edit]) -> bytes:
  """Returns the contents of a file after all edits."""
  for e in edits:
    offset = min(int(e.where * len(data)), max(len(data) - 1, 0))
    if e.kind == 'flip' and data:
      data = data[:offset] + bytes([data[offset] ^ 1 << e.size % 8]) + data[offset + 1 :]
    elif e.kind == 'put':
      data = data[:offset] + e.token + data[offset + len(e.token) :]
    elif e.kind == 'insert':
      data = data[:offset] + e.token + data[offset:]
    elif e.kind == 'cell':  # from one separator to the next
      start = max(data.rfind(mark, 0, offset) for mark in (b',', b'\n', b'\t', b':'))
      ends = [k for mark in (b',', b'\n', b'\t', b'}') if (k := data.find(mark, offset)) >= 0]
      data = data[: start + 1] + e.token + data[min(ends, default=len(data)) :]
    elif e.kind == 'cut':
      data = data[:offset]
    elif e.kind == 'drop':
      data = data[:offset] + data[offset + e.size :]
    elif e.kind == 'twice':
      data = data[:offset] + data[offset : offset + e.size] + data[offset:]
    elif e.kind == 'zero':
      data = data[:offset] + bytes(len(data[offset : offset + e.size])) + data[offset + e.size :]
    else:
      lines = data.split(b'\n')
      k = min(int(e.where * len(lines)), len(lines) - 1)
      data = b'\n'.join(
        lines[:k] + lines[k : k + 1] * (2 if e.kind == 'lines' else 0) + lines[k + 1 :]
      )
  return data


def draw_edits(rng: random.Random) -> list[Edit]:
  """Draws a few edits, half of them near the beginning or end, where formats keep counts."""
  where = (rng.random, lambda: 0.1 * rng.random() ** 2, lambda: 1 - 0.1 * rng.random() ** 2)
  return [
    Edit(
      rng.choice(KINDS if k else [kind for kind in KINDS if kind != 'cut' or rng.random() < 0.3]),
      where[rng.choice([0, 0, 1, 2])](), rng.choice(TOKENS), rng.choice([1, 2, 4, 16, 64, 600]),
    )
    for k in range(rng.choice([1, 1, 1, 2, 3, 8]))
  ]  # fmt: skip
