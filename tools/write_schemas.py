"""Write the JSON Schemas of the specs, and the file that tells editors which is for what."""

from __future__ import annotations

from pathlib import Path

from harness.spec.schema import files

ROOT = Path(__file__).parents[1]


def main() -> None:
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
