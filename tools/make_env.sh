#!/usr/bin/env bash
# Make .venv from requirements.txt, every file checked against its hash.
# The stamp comes last: an environment without it is half-built and is made anew.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.complete
rm -f "$stamp"

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "no python3")
    echo "The course needs Python 3.11 or newer and found ${PYTHON:-$found}; say where one is with PYTHON=/path/to/python3.12." >&2
    exit 1
fi

echo "Making .venv with $("$python" --version) (a minute or three)"
if ! "$python" -m venv --clear .venv; then
    echo "Python could not make .venv; on Debian and Ubuntu, 'apt-get install python3-venv' gives it what it lacks." >&2
    exit 1
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
touch "$stamp"
touch .venv/.gmmlib
