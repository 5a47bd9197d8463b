"""`python -m harness` is `repro`, where another package has taken that name."""

from repro_harness import main

main()
