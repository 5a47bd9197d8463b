"""`repro store audit`: records of a bundle drawn by a nonce and run again."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import hypergeom

from harness.store.exchange import export_records
from harness.store.published import Published
from harness.store.record import content_digest
from harness.study.bundle import detection, draw, met_with
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace


@pytest.fixture
def bundle(copied: Workplace) -> Path:
    folder = copied.root / "bundle"
    assert copied.repro("store", "export", str(folder), "verdicts", "--crate").code == 0
    return folder


def test_an_honest_bundle_comes_back(copied: Workplace, bundle: Path):
    before = copied.files()
    asked = ("store", "audit", str(bundle), "--draw", "7f3a", "--cells", "5", *INLINE)
    found = copied.repro(*asked, "--json")
    assert (found.code, found.json["passed"]) == (0, True)
    assert {each["found"] for each in found.json["records"]} == {"equal"}
    assert len(found.json["records"]) == 5
    assert copied.files() == before  # nothing of the project's store stood in, or was written
    assert f"Had {found.json['bound']} or more" in " ".join(copied.repro(*asked).out.split())


def test_a_forged_record_is_met_when_it_is_drawn(copied: Workplace, bundle: Path):
    published = Published(bundle)
    asked = ("store", "audit", "--draw", "7f3a", "--cells", "100", "--json", *INLINE)
    drawn = copied.repro(*asked, str(bundle)).json["records"]
    honest = published.records[drawn[0]["identity"]]
    values = {**honest.values, "accuracy": honest.values["accuracy"] + 0.2}  # type: ignore[operator]
    forged = replace(honest, values=values, digest=content_digest(values, honest.outputs))
    records = {**published.records, honest.identity: forged}
    export_records(records.values(), copied.root / "forged", answers=published.answers)
    found = copied.repro(*asked, str(copied.root / "forged"))
    assert found.code == 1
    wrong = [each["identity"] for each in found.json["records"] if each["found"] == "differs"]
    assert wrong == [honest.identity]


def test_a_file_that_is_not_the_listed_one_is_refused(copied: Workplace, bundle: Path):
    with (bundle / "specs" / "paper.toml").open("a") as file:
        file.write("# another\n")
    found = copied.repro("store", "audit", str(bundle), "--draw", "1", *INLINE)
    assert found.code == 3
    assert "not the file that manifest-sha256.txt lists" in found.err


def test_records_that_no_plan_here_leads_to_are_not_drawn(copied: Workplace, bundle: Path):
    asked = ("store", "audit", str(bundle), "--draw", "1", "--cells", "100", "--json", *INLINE)
    before = copied.repro(*asked).json["population"]
    copied.edit("methods/noisy.toml", "value = 0.5\n", "value = 0.7\n")
    assert 0 < copied.repro(*asked).json["population"] < before
    empty = copied.repro("store", "audit", str(copied.root / "specs"), *asked[3:])
    assert empty.code == 2
    assert "lead to none of its records" in empty.err


@pytest.mark.parametrize(("population", "forged", "drawn"), [(36, 3, 12), (290, 29, 29), (9, 9, 1)])
def test_the_bound_is_that_of_the_hypergeometric_distribution(
    population: int, forged: int, drawn: int
):
    missed = hypergeom(population, forged, drawn).pmf(0)
    assert detection(population, forged, drawn) == pytest.approx(1 - missed)
    fewest = met_with(0.95, population, drawn)
    if fewest <= population:
        assert (
            detection(population, fewest, drawn) >= 0.95 > detection(population, fewest - 1, drawn)
        )


def test_every_record_is_drawn_as_often():
    names = [f"{number:064x}" for number in range(36)]
    counts = Counter(name for nonce in range(3000) for name in draw(names, str(nonce), 12))
    assert set(counts) == set(names)
    assert max(abs(count - 1000) for count in counts.values()) < 5 * (3000 * 1 / 3 * 2 / 3) ** 0.5
    assert draw(names, "a", 12) == draw(reversed(names), "a", 12) != draw(names, "b", 12)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
def test_a_signature_over_the_list_covers_every_file(bundle: Path, tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    listed = bundle / "manifest-sha256.txt"
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "repro", listed], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"lab@example.org {key.with_suffix('.pub').read_text()}")
    verify = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "lab@example.org", "-n", "repro"]
    verify += ["-s", listed.with_name("manifest-sha256.txt.sig")]
    assert subprocess.run(verify, input=listed.read_bytes(), capture_output=True).returncode == 0
    forged = listed.read_bytes().replace(b"0", b"1", 1)
    assert subprocess.run(verify, input=forged, capture_output=True).returncode != 0
