"""Networks that come with grfjax: runs without their training, found by name.

    convolutional, recurrent: the networks of these names, trained on synthetic walkers alone (seeds
      2 and 3); training starts from them.
    mochizuki3d, mochizuki2d: the paper's networks, narrowed, trained on synthetic walkers alone;
      training starts from them.
    everyone: `walker`, which joins both, trained further on eight rendered children whose forces
      are real; it estimates people of whom no force was ever measured.

How each was made, and its errors, stand in its about.json. `run_folder.RunFolder.find` gives the
folder of each.
"""
