#!/bin/sh
# What the GitHub Action does, and what can be tried anywhere: audit specs or a paper's sources.
#
#   tools/action.sh [FILE]...
#
# INSTALL   what pip installs; this repository by default
# FAIL_ON   severe, notable or minor: the gravity from which the check fails; nothing by default
# BASELINE  JSON of an earlier audit, beside which only what is new counts
# OUT       folder for audit.sarif, audit.json, audit.xml and badge.json; `audit` by default
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${OUT:-audit}
begun=$(date +%s)
environment=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/repro-audit
python3 -m venv --without-pip "$environment" 2>/dev/null || python3 -m venv "$environment"
if ! command -v uv >/dev/null; then
    python3 -m venv "$environment-uv"
    "$environment-uv/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.8"
    PATH=$environment-uv/bin:$PATH
fi
uv pip install --quiet --python "$environment/bin/python" "${INSTALL:-$here[latex]}"
installed=$(date +%s)
mkdir -p "$out"
set -- "$@" --json --sarif "$out/audit.sarif" --junit "$out/audit.xml" --badge "$out/badge.json" --github
test -z "${BASELINE:-}" || set -- "$@" --baseline "$BASELINE"
test -z "${FAIL_ON:-}" || set -- "$@" --fail-on "$FAIL_ON"
# One run writes everything; its annotations, which come on the other stream, go into the log.
status=0
"$environment/bin/repro" audit "$@" 2>&1 > "$out/audit.json" || status=$?
echo "installed in $((installed - begun)) s, audited in $(($(date +%s) - installed)) s"
exit $status
