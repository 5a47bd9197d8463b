"""Whatever is typed on the command line: one message, nothing executed, nothing written."""

from __future__ import annotations

import unicodedata

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace

HOSTILE = (
    *(r"\input{/etc/passwd}", r"\write18{touch hacked}", "$$\\def\\x{\\x}\\x", "%", "#"),
    *("<script>hacked=1</script>", "'; drop table records; --", "{{ 7*7 }}", "{a.b}", "${HOME}"),
    *("\x1b]0;evil\x07", "\x1b[2J", "line\nbreak", "\r\rover", "a\u2028b", "\u202eevil", "\x9b2J"),
    *("../../outside", "/etc/passwd", "~root", "$(touch hacked)", "`touch hacked`", "con", "a:b:c"),
    *("", " ", ":", "::", "=", ".", "..", "-", "--", "--help=1", "*", "[", "]]", "\\", "\udcff"),
    *("verdicts:Faithful:", "verdicts\x00", "assumed.truth=", "assumed.truth=\x1b[0m", "9" * 5000),
)
WORDS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None), max_size=30),
    st.builds("{}{}".format, st.sampled_from(["verdicts", "verdicts:", "-", "--"]), st.text()),
)
COMMANDS = (
    *((name,) for name in ("show", "plan", "diff", "why", "assumptions", "cancel", "paper")),
    *(("make", *INLINE), ("show", "verdicts", "--profile"), ("show", "averaged", "--vary")),
    *(("show", "verdicts", "--seeds"), ("verify", "--profile"), ("runs", "--step")),
    *(("store", "import"), ("store",), ("data", "check"), ("data", "path"), ("compare", "stated")),
    *((), ("report", "--profile"), ("make", "verdicts", "--executor"), ("probe",)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(command=st.sampled_from(COMMANDS), word=WORDS)
@example(command=("show",), word="x" * 10_000_000)
@example(command=("show", "averaged", "--vary"), word="assumed.truth=" + "x" * 10_000_000)
@example(command=("store", "import"), word="x" * 10_000_000)
def test_any_word_is_answered_plainly(
    place: Workplace, command: tuple[str, ...], word: str
) -> None:
    before, records = sorted(place.specs.rglob("*")), place.store.identities()
    outcome = place.repro(*command, word)
    assert outcome.code in (0, 2, 3)
    for said in (outcome.out, outcome.err):
        odd = {c for c in said if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"}
        assert not odd
    assert len(outcome.err) < 20_000
    assert "Traceback" not in outcome.err
    # A name that is right may be asked for by chance, and does what it does.
    assert outcome.code == 0 or place.store.identities() == records
    assert {path.name for path in place.root.iterdir()} <= {"specs", "store", "build"}
    assert sorted(place.specs.rglob("*")) == before
