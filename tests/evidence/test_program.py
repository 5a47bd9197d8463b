"""Programs of others as steps: what they leave, when they are run again, and how they end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toy.paper import Workplace, new_workplace

INLINE = ("--executor", "inline")
TABLE = """
id = "fits"
kind = "table"
label = "Table 5"
title = "Fits"
section = "5"
caption = "Sums by a program in another language."

[reporting]
spread = "std"
n = 2

[bind]
recipe = "awk"

[measure]
value = "sum"

[[columns]]
name = "Times 2"
label = "Times 2"
bind = { size = 2 }

[[rows]]
name = "Sum"
label = "Sum"
cells = { "Times 2" = "12.0" }
"""
RECIPE = """
id = "awk"
label = "A program"
settings = {}

[[steps]]
id = "summed"
step = "program"
seed = "{seed}"

[steps.params]
command = ["awk", "-v", "times={size}", "-v", "seed={seed}", "-f", "code/sum.awk", "data.txt"]
inputs = ["code", "data.txt"]

[steps.params.outputs]
sum = { pattern = '^sum ([-\\d.]+)$' }
"""
CLAIM = """
[[claims]]
id = "twice"
text = "The sum is more than its half"
where = "Section 5"
kind = "greater"
exhibit = "fits"
better = ["Sum"]
worse = ["Half"]
columns = ["Times 2"]
"""
SCRIPT = '{ total += $1 } END { print "sum", times * total + seed / 10 }\n'


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    """A table whose numbers an awk script makes."""
    workplace = new_workplace(tmp_path)
    workplace.add("tables/fits.toml", TABLE)
    workplace.add("recipes/awk.toml", RECIPE)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "sum.awk").write_text(SCRIPT)
    (tmp_path / "data.txt").write_text("1\n2\n3\n")
    (tmp_path / "store" / "published").mkdir(parents=True)
    return workplace


def python(place: Workplace, script: str, more: str = "", outputs: str = "") -> None:
    """Replace the program by a script of this interpreter."""
    (place.root / "code" / "sum.py").write_text(script)
    recipe = place.specs / "recipes" / "awk.toml"
    text = recipe.read_text()
    start, end = text.index("command = "), text.index("inputs = ")
    command = f'command = ["{sys.executable}", "code/sum.py", "{{seed}}", "{{out}}"]\n{more}\n'
    text = text[:start] + command + text[end:]
    if outputs:
        text = text[: text.index("sum = ")] + outputs + "\n"
    recipe.write_text(text)


def numbers(place: Workplace) -> list[float]:
    (cell,) = place.repro("show", "fits", "--seeds", "2", "--json").json["cells"]
    ours = cell["reproduced"]
    return [] if ours is None else [ours["mean"], ours["n"]]


def states(place: Workplace) -> list[str]:
    steps = place.repro("plan", "fits", "--seeds", "2", "--json").json["steps"]
    return [step["state"] for step in steps]


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_a_script_in_another_language_is_run_once_for_each_seed(
    place: Workplace, executor: str
) -> None:
    made = place.repro("make", "fits", "--seeds", "2", "--executor", executor)
    assert made.code == 0, made.err
    assert numbers(place) == [pytest.approx(12.05), 2]
    assert states(place) == ["current", "current"]
    (log, _) = sorted(record.log for record in place.store.iterate())
    assert "$ awk -v times=2 -v seed=0 -f code/sum.awk data.txt\nsum 12\n" in log


@pytest.mark.parametrize("file", ["code/sum.awk", "data.txt"])
def test_an_edited_file_is_other_work_and_why_names_it(place: Workplace, file: str) -> None:
    assert place.repro("make", "fits", "--seeds", "2", *INLINE).code == 0
    path = place.root / file
    before = path.read_text()
    path.write_text(before + "\n")
    assert states(place) == ["run", "run"]
    told = place.repro("why", "fits:Sum:Times 2", "--seeds", "2").out
    assert f"params.inputs.{file}: " in told
    path.write_text(before)
    assert states(place) == ["current", "current"]


@pytest.mark.parametrize("file", ["code/sum.awk", "data.txt"])
@pytest.mark.parametrize("gone", [False, True])
def test_whatever_reads_says_that_results_are_outdated(
    place: Workplace, file: str, gone: bool
) -> None:
    half = '[[rows]]\nname = "Half"\nlabel = "Half"\ncells = { "Times 2" = "6.0" }\n'
    place.add("tables/fits.toml", half)
    place.add("claims.toml", CLAIM)
    assert place.repro("make", "fits", *INLINE).code == 0
    for reading in ("show", "diff"):
        assert "outdated" not in place.repro(reading, "fits").err
    if gone:
        (place.root / file).rename(place.root / "elsewhere")
    else:
        (place.root / file).write_text((place.root / file).read_text() + "\n")
    line = f"outdated: {file} {'is gone' if gone else 'changed'} since"
    for command in (("show", "fits"), ("diff", "fits"), ("verify",)):
        told = place.repro(*command)
        assert told.code != 2
        assert told.err.count(line) == 1, command
    listed = place.repro("list", "--json").json["exhibits"]
    assert [each["remark"] for each in listed if each["id"] == "fits"] == [line]
    if gone:
        assert place.repro("make", "fits", *INLINE).code in (2, 3)  # nothing runs it, or it fails
    else:
        assert place.repro("make", "fits", *INLINE).code == 0
        assert "outdated" not in place.repro("show", "fits").err + place.repro("list").out


def test_the_runs_that_the_paper_states_are_told_of_where_nobody_chose(place: Workplace) -> None:
    place.edit("tables/fits.toml", "n = 2", "n = 4")
    place.edit("profiles/stated.toml", "seeds = 5\n", "")
    line = "fits: the paper states n = 4, and 3 runs are made of a number; --seeds 4 makes"
    for command in (("plan", "fits"), ("make", "fits", *INLINE)):
        assert place.repro(*command).err.count(line) == 1
        assert line not in place.repro(*command, "--seeds", "2").err
    place.edit("profiles/stated.toml", "device = ", "seeds = 3\ndevice = ")
    assert line not in place.repro("plan", "fits").err


@pytest.mark.parametrize("seeds", ["", "seeds = 3\n"])
def test_a_cell_that_is_given_too_few_seeds_is_told_of_by_name(
    place: Workplace, seeds: str
) -> None:
    place.edit("tables/fits.toml", "n = 2", "n = 3")
    own = f'{seeds}device = "cpu"\n[seeds_of]\n"fits:Sum:Times 2" = 2'
    place.edit("profiles/stated.toml", 'seeds = 5\ndevice = "cpu"', own)
    line = (
        "fits: the paper states n = 3, and `seeds_of` in the profile stated gives fewer runs to "
        "fits:Sum:Times 2; --seeds 3 makes as many as it has\n"
    )
    assert place.repro("plan", "fits").err == f"repro: {line}"
    assert line not in place.repro("plan", "fits", "--seeds", "2").err


def test_a_file_that_never_was_there_is_a_mistake(place: Workplace) -> None:
    (place.root / "data.txt").unlink()
    assert place.repro("show", "fits").code == 2


def test_a_folder_is_what_git_sees_of_it(place: Workplace) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=place.root, check=True, capture_output=True)

    git("init", "-q")
    (place.root / ".gitignore").write_text("*.log\nstore/\n")
    git("add", "code", ".gitignore")
    assert place.repro("make", "fits", "--seeds", "2", *INLINE).code == 0
    (place.root / "code" / "a.log").write_text("ignored")
    assert states(place) == ["current", "current"]
    (place.root / "code" / "helper.awk").write_text("# untracked")
    assert states(place) == ["run", "run"]


def test_the_time_limit_is_no_part_of_the_work(place: Workplace) -> None:
    assert place.repro("make", "fits", "--seeds", "2", *INLINE).code == 0
    place.edit("recipes/awk.toml", "inputs = ", "minutes = 5\ninputs = ")
    assert states(place) == ["current", "current"]


@pytest.mark.parametrize(
    ("write", "output"),
    [
        ("json.dump({'test': {'acc': [0, 7]}}, open(out + '/m.json', 'w'))",
         'sum = { file = "{out}/m.json", json = "test.acc.1" }'),
        ("open('r' + seed + '.csv', 'w').write('step,acc\\n0,1\\n1,7\\n')",
         'sum = { file = "r{seed}.csv", column = "acc" }'),
        ("print('noise'); print(json.dumps({'acc': 7}))", 'sum = { json = "acc" }'),
    ],
)  # fmt: skip
def test_values_are_read_from_files_and_from_what_is_printed(
    place: Workplace, write: str, output: str
) -> None:
    python(place, f"import json, sys\nseed, out = sys.argv[1:]\n{write}\n", outputs=output)
    made = place.repro("make", "fits", "--seeds", "2", *INLINE)
    assert made.code == 0, made.err
    assert numbers(place)[0] == 7


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; print('so far'); sys.exit('no data')", "ended with exit status 1"),
        ("print('sum nothing')", "'sum' is no finite number"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
    ],
)
def test_a_program_that_ends_badly_is_a_failed_step_with_the_end_of_its_log(
    place: Workplace, script: str, message: str
) -> None:
    python(place, script)
    made = place.repro("make", "fits", "--seeds", "1", *INLINE)
    assert made.code == 3
    assert message in made.err
    if "exit" in script:
        assert "so far" in made.err
        assert "no data" in made.err
    assert numbers(place) == []


def test_a_file_of_an_earlier_run_is_never_taken_for_this_one(place: Workplace) -> None:
    (place.root / "m.json").write_text('{"acc": 7}')
    python(place, "pass", outputs='sum = { file = "m.json", json = "acc" }')
    made = place.repro("make", "fits", "--seeds", "1", *INLINE)
    assert made.code == 3
    assert "did not write this file" in made.err


def test_a_file_written_within_one_tick_of_a_coarse_clock_counts(place: Workplace) -> None:
    file = place.root / "m.json"
    file.write_text('{"acc": 7}')
    stamp = file.stat().st_mtime_ns
    script = (
        "import os; from pathlib import Path; f = Path('m.json'); f.write_text('{\"acc\": 8}'); "
        f"os.utime(f, ns=({stamp}, {stamp}))"
    )
    python(place, script, outputs='sum = { file = "m.json", json = "acc" }')
    assert place.repro("make", "fits", "--seeds", "1", *INLINE).code == 0


def test_a_program_is_ended_with_all_that_it_started_when_its_time_is_up(place: Workplace) -> None:
    python(
        place,
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('child', 'w').write(str(child.pid)); child.wait()\n",
        more="minutes = 0.03",
    )
    began = time.monotonic()
    made = place.repro("make", "fits", "--seeds", "1", *INLINE)
    assert made.code == 3
    assert "ended after 0.03 minutes" in made.err
    assert time.monotonic() - began < 300
    assert not _alive(int((place.root / "child").read_text()))


@pytest.mark.parametrize(
    ("number", "executor"), [(signal.SIGINT, "local"), (signal.SIGTERM, "inline")]
)
def test_a_program_ends_with_the_command_that_was_interrupted(
    place: Workplace, number: signal.Signals, executor: str
) -> None:
    python(place, "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    named = {
        "REPRO_SPECS": str(place.specs),
        "REPRO_STORE": str(place.root / "store"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    # However the tests were started: a child inherits that SIGINT is ignored.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    run = f"{heard}; from harness.cli.main import main; main()"
    command = [sys.executable, "-c", run, "make", "fits", "--executor", executor]
    with subprocess.Popen(command, env={**os.environ, **named}, stderr=subprocess.PIPE) as process:
        pid = place.root / "pid"
        until = time.monotonic() + 60
        while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        process.send_signal(number)
        process.wait(60)
    assert not _alive(int(pid.read_text()))


_INTERRUPTED = """
import os, signal, subprocess, sys
from harness.evidence import program
class Interrupted(subprocess.Popen):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        open("pid", "w").write(str(self.pid))
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
subprocess.Popen = Interrupted
program._run(["sleep", "60"], ".", os.environ, program.ProgramParams.model_construct(minutes=None))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_program_ends_that_was_just_being_started(tmp_path: Path, name: str) -> None:
    """The signal arrives where the program runs, and is not yet known."""
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _INTERRUPTED, name]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, check=False)
    assert done.returncode != 0
    assert not _alive(int((tmp_path / "pid").read_text())), done.stderr


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may not have been collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"data.txt"]\n\n', '"date.txt"]\n\n', "'date.txt': no such file in"),
        ('inputs = ["code"', 'inputs = ["/etc"', "expected a path inside the project"),
        ("pattern = ", "json = 'a', pattern = ", "expected one of 'json', 'pattern' and 'column'"),
        ("times={size}", "times={sizes}", "unknown variable '{sizes}'"),
    ],
)
def test_a_mistake_in_its_declaration_is_one_message(
    place: Workplace, old: str, new: str, message: str
) -> None:
    place.edit("recipes/awk.toml", old, new)
    planned = place.repro("plan", "fits")
    assert planned.code == 2
    assert message in planned.err
    assert "awk.toml:" in planned.err
    assert len(planned.err.splitlines()) == 1


@pytest.mark.skipif(shutil.which("papermill") is None, reason="papermill is not installed")
def test_a_notebook_is_a_program_too(place: Workplace) -> None:
    """`papermill in.ipynb {out}/out.ipynb -p seed {seed}` writes what the notebook computes."""
    import json

    cell = {
        "cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [],
        "execution_count": None, "source": "seed = 0\nout = ''",
    }  # fmt: skip
    source = "import json\njson.dump({'acc': 7}, open(out + '/m.json', 'w'))"
    book = {
        "cells": [cell, {**cell, "id": "b", "metadata": {}, "source": source}],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (place.root / "code" / "book.ipynb").write_text(json.dumps(book))
    python(place, "", outputs='sum = { file = "{out}/m.json", json = "acc" }')
    recipe = place.specs / "recipes" / "awk.toml"
    text = recipe.read_text()
    start, end = text.index("command = "), text.index("inputs = ")
    command = '["papermill", "code/book.ipynb", "{out}/b.ipynb", "-p", "out", "{out}"]'
    recipe.write_text(f"{text[:start]}command = {command}\n{text[end:]}")
    made = place.repro("make", "fits", "--seeds", "1", *INLINE)
    assert made.code == 0, made.err
    assert numbers(place)[0] == 7
