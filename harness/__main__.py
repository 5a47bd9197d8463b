"""`python -m harness` is `repro`, where another package has taken that name."""

from harness.cli.main import main

main()
