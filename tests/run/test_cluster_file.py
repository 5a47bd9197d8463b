"""The TOML file that says what queued jobs ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run.cluster.resources import Cluster
from harness.spec.toml import SpecError, read_spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partiton = 'x'", "cluster.toml:1: partiton: unknown key; did you mean 'partition'"),
        ("[sbatch]\narray = '0-3'", "cluster.toml:2: sbatch.array: 'array' is set by the harness"),
        ("tasks = 0", "cluster.toml:1: tasks: "),
        (
            "[kinds.a]\nminute = 3",
            "cluster.toml:2: kinds.a.minute: unknown key; did you mean 'minu",
        ),
        ("[batch]\npreset = 'pbss'", "unknown scheduler 'pbss'; did you mean 'pbs'"),
        ("[batch]\npreset = 'pbs'\nid = '^\\d+'", "has 0 groups"),
        ("[batch]\npreset = 'pbs'\nid = '('", "no regular expression"),
    ],
)
def test_mistakes_in_a_cluster_file_are_located(tmp_path: Path, text: str, said: str):
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        read_spec(path, Cluster)
    assert said in str(caught.value)
