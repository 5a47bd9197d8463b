"""Reading a released set of any known layout: what `repro data import` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from harness.errors import UserError, require
from harness.lab.imports import released
from harness.lab.imports.imported import Imported, Space, as_logits, check_labels, check_values
from harness.lab.imports.layouts import read_folders, read_list, read_pair, read_sets
from harness.lab.recipe import DatasetRef


@dataclass(frozen=True)
class Layout:
    """How the files of a family of released sets are laid out."""

    read: Callable[[Path, DatasetRef, Space, int | None], Imported]
    """From the path, the data set, the space and the number of the set that is asked for."""
    spaces: tuple[Space, ...]
    """How its values may be scaled; where there are several, it has to be said."""


LAYOUTS: Mapping[str, Layout] = {
    "sets": Layout(read_sets, ("mean-std",)),
    "pair": Layout(lambda path, ref, space, _: read_pair(path, ref, space), get_args(Space)),
    "folders": Layout(lambda path, ref, _, __: read_folders(path, ref), ("pixels",)),
    "list": Layout(lambda path, ref, _, __: read_list(path, ref), ("pixels",)),
}
"""`sets`: DC, DSA, DM. `pair`: MTT, GLaD, DATM, DC-Bench's random and k-means. `folders`: SRe2L,
RDED and others at large scale. `list`: DeepCore and other coresets."""


def import_set(
    name: str,
    fields: Mapping[str, Any],
    path: Path,
    layout: str,
    space: str | None = None,
    number: int | None = None,
    soft_labels: str | None = None,
) -> Mapping[str, Any]:
    """Read a released set, check it, and keep it under its fingerprint; what to tell of it.

    Args:
        name: the data set that it was distilled or chosen from, with the `fields` of its spec.
        layout: one of `LAYOUTS`.
        space: how its values are scaled, where sets of this layout are not all scaled alike.
        number: which of several sets in one file, from 1; the last if None.
        soft_labels: what its soft labels are, `logits` or `probabilities`; logits if None, and
            what looks like probabilities is then refused.

    Raises:
        UserError: the set cannot be read, or is not what it is said to be.
    """
    require(layout, LAYOUTS, f"unknown layout '{layout}'")
    dataset = DatasetRef.model_validate({**fields, "name": name})
    given = LAYOUTS[layout].read(path, dataset, _space(layout, space), number)
    per_class = check_labels(path, given, dataset)
    check_values(path, given, dataset)
    given = as_logits(path, given, soft_labels)
    identity = released.write(given, dataset, path.name)
    return {
        "fingerprint": identity,
        "images": len(given.labels),
        "per_class": per_class,
        "space": given.space,
        "learning_rate": given.learning_rate,
        "notes": list(given.notes),
        "folder": str(released.folder_of(identity)),
    }


def _space(layout: str, said: str | None) -> Space:
    known = LAYOUTS[layout].spaces
    if said is None and len(known) > 1:
        raise UserError(
            f"sets of layout '{layout}' are not all scaled alike: say which space this one is in, "
            f"of {', '.join(known)}"
        )
    for space in known:
        if said in (space, None):
            return space
    raise UserError(
        f"sets of layout '{layout}' are not in space '{said}', but {' or '.join(known)}"
    )
