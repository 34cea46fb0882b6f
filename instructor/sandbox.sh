#!/usr/bin/env bash
# Bubblewrap for the tests of the grading kit: installed where that needs no question, asked for elsewhere.
set -euo pipefail

works() { command -v bwrap >/dev/null && bwrap --ro-bind / / --dev /dev --unshare-net --unshare-pid true 2>/dev/null; }

if ! works && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing bubblewrap, in which student code runs"
    { apt-get update && apt-get install -y --no-install-recommends bubblewrap; } >/dev/null 2>&1 || true
fi
works || echo "There is no bubblewrap that works here: the grading kit is tested without a sandbox."
