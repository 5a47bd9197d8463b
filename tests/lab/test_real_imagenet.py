"""The large-scale code from ImageNet's own layout to the tables, on a tree made of real images.

The tree is a part of that of profile `imagenet-mini`, so that this takes minutes of one core.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.lab.data import datasets, prepared, sets
from tests.lab.test_beside_the_paper import METHODS, table_of
from tools.prepare_imagenet_mini import CLASSES, write_tree

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "imagenet1k_sample"
NAME = "imagenet-mini"
TRAINING, VALIDATION = 16, 2
TABLES = ("table6", "table7", "table9", "table11")
NOT_RUN = {"D4M"}
MAIN = (
    "import atexit, re, sys, pathlib\n"
    "status = pathlib.Path('/proc/self/status')\n"
    "peak = lambda: re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1]\n"
    "atexit.register(lambda: print('PEAK', peak(), file=sys.stderr))\n"
    "from harness.cli.main import main; main()"
)
"""The command, which says at its end how many kibibytes it held at most.

`getrusage` would not do: Linux carries the peak of the process that forked into the new program.
"""

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="no sample of ImageNet beside the project"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The specs, with the numbers of the smaller tree, and the tree prepared."""
    monkeypatch.setenv("REPRO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    sets._loaded.cache_clear()
    write_tree(SAMPLE, datasets.published(NAME), TRAINING, VALIDATION)
    datasets.prepare(NAME, skip_damaged=True)
    found = {
        "fingerprint": json.dumps(prepared.fingerprint(prepared.read(NAME))),
        "train_size": TRAINING * CLASSES,
        "test_size": VALIDATION * CLASSES,
        "smallest_class": TRAINING,
    }
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    spec = tmp_path / "specs" / "datasets" / f"{NAME}.toml"
    text = spec.read_text()
    for name, value in found.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    spec.write_text(text)
    return tmp_path


def repro(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, *arguments, "--profile", NAME]
    return subprocess.run(command, capture_output=True, text=True, cwd=project, env=os.environ)


def test_the_tables_of_the_large_scale_come_out_whole_in_four_gigabytes(project: Path) -> None:
    done = repro(project, "make", *TABLES, "--executor", "inline")
    assert done.returncode == 0, done.stderr[-4000:]
    for table in TABLES:
        cells = json.loads(repro(project, "show", table, "--json").stdout)["cells"]
        for cell in cells:
            if cell["row"] in NOT_RUN:
                assert cell["verdict"] == "not run"
                assert cell["reason"]
            else:
                assert cell["reproduced"]["n"] == 1, cell
                assert 0 <= cell["reproduced"]["mean"] <= 100
                assert cell["comparable"] is False
    assert int(done.stderr.rpartition("PEAK")[2].split()[0]) < 4 << 20


@pytest.mark.parametrize("method", ["d4m", "minimax"])
def test_images_of_a_diffusion_model_come_from_real_ones_and_teach_a_student(
    project: Path, method: str
) -> None:
    """The spec's own steps on a tiny random generator, without its weights and with them."""
    spec = project / "specs" / "methods" / f"{method}.toml"
    text = spec.read_text().replace('dataset = ["imagenet1k"]', f'dataset = ["{NAME}"]')
    spec.write_text(text)
    table = project / "specs" / "tables" / "table6.toml"
    table.write_text(table.read_text().replace('method = "d4m"', f'method = "{method}"'))
    failed = repro(project, "make", "table6:D4M", "--executor", "inline")
    assert failed.returncode == 3
    assert "no weights of generator" in failed.stderr
    [(reason, addresses)] = json.loads(repro(project, "show", "table6", "--json").stdout)[
        "not_run"
    ].items()
    assert reason.startswith(f"Step distill_{method} failed: no weights of generator")
    assert addresses == ["table6:D4M:HL/IPC 50"]
    tiny = {
        "generator": '"random-tiny"',
        "autoencoder": '"random-tiny"',
        "generator_precision": '"float32"',
        "prompts": '"numbers"',
        "side": "16",
        "sampling_steps": "3",
        "epochs": "1",
        "phase_classes": "2",
    }
    for name, value in tiny.items():
        text = re.sub(rf"(\[settings\.{name}\]\nvalue = ).*", rf"\g<1>{value}", text)
    spec.write_text(text)
    done = repro(project, "make", "table6:D4M", "--executor", "inline")
    assert done.returncode == 0, done.stderr[-4000:]
    cells = json.loads(repro(project, "show", "table6", "--json").stdout)["cells"]
    [made] = [cell for cell in cells if cell["row"] == "D4M"]
    assert made["reproduced"]["n"] == 1
    assert made["comparable"] is False


def test_several_backbones_of_the_large_scale_make_images_together(project: Path) -> None:
    (project / "specs" / "tables" / "beside.toml").write_text(table_of(*METHODS), "utf-8")
    done = repro(project, "make", "beside", "--executor", "inline")
    assert done.returncode == 0, done.stderr[-4000:]
    cells = json.loads(repro(project, "show", "beside", "--json").stdout)["cells"]
    assert [cell["row"] for cell in cells] == list(METHODS)
    assert all(cell["reproduced"]["n"] == 1 for cell in cells), cells
