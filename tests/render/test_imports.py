from __future__ import annotations

import subprocess
import sys


def test_models_and_text_renders_import_no_heavy_library() -> None:
    code = (
        "import sys, harness.render.table, harness.render.latex, harness.render.markdown;"
        "import harness.render.figures.model, harness.render.numbers;"
        "print(sorted({'matplotlib', 'rich', 'numpy', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
