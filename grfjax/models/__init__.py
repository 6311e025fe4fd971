"""Networks and what their outputs mean: pure functions of arrays.

To add a network:

1.  Write a Flax module, in a file of its own or beside its relatives (`paper_networks`,
    `walker_networks`). Its fields are settings; `outputs`, how many numbers it gives for each leg
    and frame, comes from the target. It is called as

        model.apply({'params': params}, x, train=train, valid=valid, rngs={'dropout': key})

    with x (B, T, H, W, C) in -0.5 .. 0.5 and valid (B, T) bool, False at frames beyond the
    recording's edge (or None: all are valid), and returns (B, L, legs, outputs). `rngs` is given in
    training alone. It may have no variables but 'params'. Its field `dtype` (`config.dtype`) is
    what its layers compute in; parameters and outputs are float32.
2.  State what it returns as class variables:

        legs         2 for (near, far), 1 for the near leg alone, which is then trained and scored
                     in stance only
        label_slice  which L of the T frames it returns
        members      into how many networks' outputs a training batch comes out: 1, or n where
                     `train=True` returns (n, B, L, legs, outputs)
        any_length   whether it can be given clips longer than those of the records that it was
                     trained on, up to a whole walk
        sees_forces  whether it is also given `force` (B, T, 2, 3), which a network that finds the
                     feet is
3.  Enter it in `networks.MODELS` by the name that configurations give it (`config.model.name`), and
    write a file in `configs/`.

A target (what outputs mean: `targets.Target`) is added to `targets.TARGETS` in the same way.
"""
