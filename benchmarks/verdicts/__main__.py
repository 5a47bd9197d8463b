"""Judge a thousand faithful and a thousand changed reruns of digits, and publish how it went.

python -m benchmarks.verdicts             # from the trainings that are kept
python -m benchmarks.verdicts --retrain   # trains them anew first
"""

from __future__ import annotations

import argparse

from benchmarks.verdicts import kept
from benchmarks.verdicts.table import experiment, plot, table
from benchmarks.verdicts.trainings import CHANGES, STATED, train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retrain", action="store_true", help="some five minutes of one core")
    if parser.parse_args().retrain:
        kept.write({arm.name: train(arm) for arm in (STATED, *CHANGES)})
    arms = kept.read()
    found = experiment(arms)
    text = table(arms, found)
    (kept.FOLDER / "table.md").write_text(text + "\n", encoding="utf-8")
    plot(found, kept.FOLDER / "verdicts.svg")
    print(text)


if __name__ == "__main__":
    main()
