"""Records on disk, which are the truth, and a rebuildable index over them."""
