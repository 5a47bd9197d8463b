"""The fingerprint follows meaning and imports, and nothing else."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from harness.run import fingerprint as fingerprints
from harness.run.fingerprint import fingerprint, normal_form

MAIN = '''"""About."""
from __future__ import annotations
import math
from {package}.sub import helper
from .sub.deep import deepest as renamed


def work(x: int) -> float:
    """Works."""
    # a comment
    def inner():
        from {package} import late
        return late.z
    return helper.factor * x + math.pi + renamed
'''
FILES = {
    "__init__.py": "",
    "main.py": MAIN,
    "sub/__init__.py": "level = 1\n",
    "sub/helper.py": "factor = 2.0\n",
    "sub/deep.py": "deepest = 3\n",
    "late.py": "z = 4\n",
    "unrelated.py": "q = 5\n",
}


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Fingerprint of the little package with some files replaced."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def take(**changed: str) -> str:
        place = tmp_path / "inventedpackage"
        for name, text in FILES.items():
            key = name.removesuffix(".py").replace("/", "_")
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(changed.get(key, text).replace("{package}", place.name))
        fingerprint.cache_clear()
        fingerprints._read.cache_clear()
        return fingerprint("inventedpackage.main:work")

    return take


def test_comments_docstrings_and_layout_do_not_count(taken: Callable[..., str]):
    bare = MAIN.replace('"""About."""\n', "").replace("    # a comment\n", "\n\n")
    bare = bare.replace('"""Works."""', '"""Other words."""').replace("(x: int)", "(\n  x : int\n)")
    assert taken(main=bare) == taken()
    assert taken(main=bare.replace("helper.factor * x", "(helper.factor) * x")) == taken()


@pytest.mark.parametrize(
    "change",
    [
        {"main": MAIN.replace("* x", "/ x")},
        {"sub_helper": "factor = 2.5\n"},
        {"sub_helper": "factor = 2\n"},
        {"sub_deep": "deepest = 4\n"},
        {"sub___init__": "level = 2\n"},
        {"late": "z = 5\n"},
    ],
)
def test_a_change_in_the_module_or_what_it_imports_counts(
    taken: Callable[..., str], change: dict[str, str]
):
    assert taken(**change) != taken()


BESIDE = """
LIMIT = 3
"Counts of what work counts."


class Params:
    size = LIMIT


def probe():
    import inventedpackage.unrelated
    return inventedpackage.unrelated.q


def helped(x):
    return x + LIMIT
"""
USING = MAIN.replace("+ math.pi", "+ math.pi + helped(x)").replace("(x: int)", "(x: Params)")


@pytest.mark.parametrize("main", [MAIN, USING])
def test_what_stands_beside_the_function_and_is_not_used_does_not_count(
    taken: Callable[..., str], main: str
):
    whole = taken(main=main + BESIDE)
    assert taken(main=main + BESIDE.replace("return inv", "print(1)\n    return inv")) == whole
    assert taken(main=main + BESIDE.replace("Counts", "A count")) == whole
    assert taken(main=main + BESIDE, unrelated="q = 6\n") == whole
    for old, new in (
        ("size = ", "large = "),
        ("x + LIMIT", "x - LIMIT"),
        ("LIMIT = 3", "LIMIT = 4"),
    ):
        assert (taken(main=main + BESIDE.replace(old, new)) == whole) == (main == MAIN)
    # A statement that binds no name may change anything.
    assert taken(main=main + BESIDE + "print(2)\n") != whole


def test_every_python_at_hand_gives_the_same(tmp_path: Path):
    """Run the normal form, which needs only the standard library, under each interpreter found."""
    source = Path(importlib.util.find_spec("harness.run.fingerprint").origin)  # type: ignore[union-attr,arg-type]
    script = (
        "import ast, sys; sys.path.insert(0, sys.argv[1]); "
        "from harness.run.fingerprint import normal_form; "
        "print(normal_form(ast.parse(open(sys.argv[2]).read())))"
    )
    text = tmp_path / "some.py"
    text.write_text(source.read_text() + 'nested = f" {1.5:{2}} {source!r:>{3}}|" "after"\n')
    forms = set()
    for name in ("python3.11", "python3.12", "python3.13", "python3.14", sys.executable):
        command = [name, "-c", script, str(source.parents[2]), str(text)]
        with suppress(OSError):
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode == 0:
                forms.add(ran.stdout)
    assert len(forms) == 1


def test_a_module_that_is_not_imported_does_not_count(taken: Callable[..., str]):
    assert taken(unrelated="q = 6\n") == taken()


def test_nothing_is_imported_for_it(taken: Callable[..., str]):
    taken()
    assert not [name for name in sys.modules if name.startswith("inventedpackage")]


def test_the_normal_form_is_pinned_so_that_every_python_must_agree():
    tree = ast.parse('def f(a, *, b=1):\n    "doc"\n    return f"{a!r:>{b}}" if a else None\n')
    assert normal_form(tree) == (
        "Module(body=[FunctionDef(args=arguments(args=[arg(arg='a')],kw_defaults=[int:1],"
        "kwonlyargs=[arg(arg='b')]),body=[Return(value=IfExp(body=JoinedStr(values=["
        "FormattedValue(conversion=114,format_spec=JoinedStr(values=[str:'>',"
        "FormattedValue(conversion=-1,value=Name(ctx=Load(),id='b'))]),"
        "value=Name(ctx=Load(),id='a'))]),orelse=NoneType:None,test=Name(ctx=Load(),id='a')))],"
        "name='f')])"
    )
