#!/usr/bin/env bash
# Make .venv-grading: nbgrader, on top of .venv, so that only the handful of packages that the course lacks is fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv-grading/.complete
rm -f "$stamp"
trap 'rm -f "$said"; [ -f "$stamp" ] || echo "The environment .venv-grading is not complete; run the same command again." >&2' EXIT
said=$(mktemp)
echo "Making .venv-grading: nbgrader on top of .venv (some seconds)"
.venv/bin/python -m venv --clear --without-pip .venv-grading
here=$(.venv-grading/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# addsitedir, so that .venv's own .pth files (the editable gmmlib) count too.
course=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "import site; site.addsitedir('$course')" >"$here/course.pth"
if ! .venv/bin/python -m pip --python .venv-grading/bin/python install --disable-pip-version-check --no-deps --require-hashes \
    --quiet -r instructor/requirements.txt >"$said" 2>&1; then
    cat "$said" >&2
    exit 1
fi
touch "$stamp"
