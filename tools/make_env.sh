#!/usr/bin/env bash
# Make .venv from requirements.txt, every file checked against its hash.
# The stamp comes last: an environment without it is half-built and is made anew.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.complete
rm -f "$stamp"

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "no python3")
    echo "The course needs Python 3.11 or newer and found ${PYTHON:-$found}; say where one is with PYTHON=/path/to/python3.12." >&2
    exit 1
fi

child=""
unfinished() {
    if [ -n "$child" ]; then kill -- "-$child" 2>/dev/null || true; fi
    rm -rf "$work"
    echo >&2
    echo "The environment .venv is not complete. Run the same command again: it starts .venv anew and keeps what was downloaded." >&2
}
work=$(mktemp -d)
trap unfinished EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# A shell hears a signal at once only while it waits, so what takes long runs in the background;
# in a process group of its own (set -m), so that all it started ends with it and no traceback is seen.
run() {
    set -m
    "$@" &
    child=$!
    set +m
    local code=0
    wait "$child" || code=$?
    child=""
    return "$code"
}

echo "Making .venv with $("$python" --version): about 200 packages, two minutes or three"
if ! run "$python" -m venv --clear .venv; then
    echo "Python could not make .venv; on Debian and Ubuntu, 'apt-get install python3-venv' gives it what it lacks." >&2
    exit 1
fi

# pip names every file it fetches; a line for each would bury its errors, silence looks like a hang.
wanted=$(grep -c '==' requirements.txt || true)
progress() {
    awk -v wanted="$wanted" '
        /^(Collecting|Processing) /           { if (++seen % 40 == 0) { printf "  found %d of %d packages\n", seen, wanted; fflush() } }
        /^Installing collected/ && seen >= 40 { print "  unpacking them (half a minute or more)"; fflush() }
        /^ *ERROR|^error|THESE PACK/          { print; fflush() }'
}
tell_pip() { exec .venv/bin/python -m pip install --disable-pip-version-check --no-deps "$@" >"$work/said" 2>&1; }
pip() {
    mkfifo "$work/said"
    progress <"$work/said" &
    local reader=$! code=0
    run tell_pip "$@" || code=$?
    wait "$reader"
    rm "$work/said"
    return "$code"
}
# --no-deps: every package is pinned here, so there is nothing to look for.
pip --require-hashes --progress-bar off -r requirements.txt
pip --no-build-isolation -e .
touch "$stamp" .venv/.gmmlib
trap - EXIT
rm -rf "$work"
echo "The environment is ready in .venv"
