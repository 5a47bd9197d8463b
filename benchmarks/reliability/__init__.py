"""What happens to `repro make table7 --profile digits` when things go wrong, injected and counted.

    python -m benchmarks.reliability                  # every row of docs/reliability.md
    python -m benchmarks.reliability write-points     # one of them

Each row is one kind of fault (`python -m benchmarks.reliability --list`). The steps are those of
Table 7 on digits, shrunken by a profile of their own to a hundredth of a second each; commands run
in processes forked from one that has imported torch already. All is done in a temporary folder.
"""
