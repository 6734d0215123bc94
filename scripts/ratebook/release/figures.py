"""Released figures: those of the stages, each drawn of what its table may show."""

from __future__ import annotations

import shutil
from pathlib import Path


def release_figures(sources: list[str], targets: list[str]) -> None:
    """Put figures into the release as they stand.

    Parameters
    ----------
    sources : list of str
        Figures of all stages, SVG and PNG, named by their file names.
    targets : list of str
        Where they go, by the same names.

    References
    ----------
    methods.md, H67 and H68.
    """
    found = {Path(path).name: path for path in sources}
    for target in map(Path, targets):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found[target.name], target)
