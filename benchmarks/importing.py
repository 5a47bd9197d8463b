"""How well tables of real papers are read, scored against right answers typed by hand.

The folders that have right answers are split once, before any reader was written: every other
one of the sorted names. The readers were made on the first half; the second was scored once.
"""

from __future__ import annotations

TUNED = ("csgcl", "ibtransdiff", "qfn2l", "simd-finance", "stargazer", "wage-theft")
HELD_OUT = ("dl4tsc", "mcgl", "readiness", "siunitx-s", "vocab-pruning")
