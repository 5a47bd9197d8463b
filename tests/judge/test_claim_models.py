"""Claims as TOML: what they refer to, and what is refused."""

import subprocess
import sys
import tomllib
from decimal import Decimal

import pytest
from pydantic import ValidationError

from harness.spec.claims import ClaimsFile, addresses
from harness.spec.operands import is_address, printed_step
from harness.spec.reading import read_printed

HEAD = 'id = "c"\ntext = "A beats B."\nwhere = "Table 7"\n'


def load(body, head=HEAD):
    return ClaimsFile.model_validate(tomllib.loads(f"[[claims]]\n{head}{body}")).claims[0]


def test_rows_and_columns_are_combined():
    claim = load(
        'kind = "greater"\nexhibit = "table7"\nbetter = ["A", "B"]\nworse = ["C"]\n'
        'columns = ["IPC 10", "IPC 50/RN50"]\n'
    )
    assert claim.pairs() == (
        ("table7:A:IPC 10", "table7:C:IPC 10"),
        ("table7:A:IPC 50/RN50", "table7:C:IPC 50/RN50"),
        ("table7:B:IPC 10", "table7:C:IPC 10"),
        ("table7:B:IPC 50/RN50", "table7:C:IPC 50/RN50"),
    )
    assert addresses(claim) == (
        "table7:A:IPC 10",
        "table7:C:IPC 10",
        "table7:A:IPC 50/RN50",
        "table7:C:IPC 50/RN50",
        "table7:B:IPC 10",
        "table7:B:IPC 50/RN50",
    )
    assert (claim.expect, claim.margin) == ("holds", 0.0)


def test_addresses_match_in_order_and_numbers_are_no_addresses():
    claim = load('kind = "equal"\nleft = ["a:r:c", "a:r:d"]\nright = ["b:r:c", 4]\n')
    assert claim.pairs() == (("a:r:c", "b:r:c"), ("a:r:d", 4))
    assert addresses(claim) == ("a:r:c", "b:r:c", "a:r:d")


def test_claims_are_frozen_and_hash_to_plain_data():
    claim = load('kind = "saturates"\ncells = ["a:r:c", "a:r:d"]\n')
    with pytest.raises(ValidationError, match="frozen"):
        claim.margin = 2.0
    assert claim.model_dump(mode="json")["cells"] == ["a:r:c", "a:r:d"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('kind = "better_than"\n', "better_than"),
        ('kind = "equal"\nleft = ["a:b"]\nright = [1.0]\n', "exhibit:row:column"),
        ('kind = "equal"\nleft = []\nright = [1.0]\n', "at least 1"),
        ('kind = "equal"\nleft = [1.0, 2.0]\nright = [1.0, 2.0, 3.0]\n', "cannot match"),
        ('kind = "equal"\nleft = [nan]\nright = [1.0]\n', "finite"),
        ('kind = "on_par"\nexhibit = "e"\nleft = ["A"]\nright = ["B"]\n', "needs 'columns'"),
        ('kind = "on_par"\nleft = ["a:r:c"]\nright = [1.0]\ncolumns = ["x"]\n', "needs 'exhibit'"),
        (
            'kind = "on_par"\nexhibit = "e"\nleft = ["e:A:x"]\nright = ["B"]\ncolumns = ["x"]\n',
            "name of a row",
        ),
        ('kind = "on_par"\nleft = [1.0]\nright = [1.0]\nmargin = -1.0\n', "greater than or equal"),
        ('kind = "on_par"\nleft = [1.0]\nright = [1.0]\ncode = "1 + 1"\n', "Extra inputs"),
        ('kind = "increasing"\ncells = [1.0]\n', "two numbers or more"),
        ('kind = "increasing"\nrows = ["A"]\n', "either 'cells'"),
        ('kind = "within"\ncells = [1.0]\n', "expected 'low'"),
        ('kind = "within"\ncells = [1.0]\nlow = 2.0\nhigh = 1.0\n', "is above"),
        ('kind = "correlation"\nvalue = 0.4\nlow = 0.3\nhigh = 1.5\n', "lies in"),
        ('kind = "correlation"\nvalue = 0.4\nlow = 0.3\npoints = 3\n', "greater than or equal"),
        ('kind = "slower"\nslow = 2.0\nfast = 1.0\nfactor = 0.0\n', "greater than 0"),
        ('kind = "slower"\nslow = "2 * 3"\nfast = 1.0\nfactor = 1.0\n', "exhibit:row:column"),
        ('kind = "arithmetic"\nleft = [2.0]\nright = [1.0]\n', "either 'printed'"),
        ('kind = "arithmetic"\nleft = [2.0]\nright = [1.0]\nsmallest = "1"\n', "either 'printed'"),
        ('kind = "arithmetic"\nleft = [2.0]\nright = [1.0]\nprinted = ["1", "2"]\n', "2 results"),
        (
            'kind = "arithmetic"\nleft = [2.0]\nright = [1.0]\nprinted = ["one"]\n',
            "a number as printed",
        ),
        ('kind = "parameter_count"\nprinted = "11 million"\ncount = 1.0\n', "a number as printed"),
    ],
)
def test_what_makes_no_sense_is_refused(body, message):
    with pytest.raises(ValidationError, match=message):
        load(body)


def test_ids_are_distinct():
    one = f'[[claims]]\n{HEAD}kind = "equal"\nleft = [1.0]\nright = [1.0]\n'
    with pytest.raises(ValidationError, match="'c' comes twice"):
        ClaimsFile.model_validate(tomllib.loads(one + one))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("table9:CA2D:IPC 50/RN101", True),
        ("figure3:stated:rho", True),
        ("table9:CA2D", False),
        ("table9:CA2D:", False),
        ("table9: CA2D:x", False),
        ("a:b:c:d", False),
    ],
)
def test_addresses_have_three_parts(text, good):
    assert is_address(text) == good


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("9.3", "9.3", "0.05"),
        ("8", "8", "0.5"),
        ("-0.120", "-0.12", "0.0005"),
        ("411K", "411000", "500"),
        ("11.2M", "11200000", "50000"),
        ("1B", "1000000000", "500000000"),
    ],
)
def test_the_printed_digits_say_how_exact_a_number_is(text, value, half):
    assert printed_step(read_printed(text)) == (Decimal(value), Decimal(half))


def test_reading_claims_imports_no_statistics():
    code = "import sys, harness.spec.claims; sys.exit(bool({'scipy', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
