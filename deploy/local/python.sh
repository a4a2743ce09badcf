#!/usr/bin/env bash
# Makes the virtual environment, with the machine's own Python 3.11 or newer; installs Debian's python3-venv if that is
# what is missing.   usage: python.sh PYTHON VENV
set -euo pipefail
python=$1 venv=$2

command -v "$python" >/dev/null || { echo "There is no $python here. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  { echo "$("$python" --version) is too old: Accede needs 3.11 or newer. Say which one: make PYTHON=python3.11 …" >&2; exit 1; }

make_venv() { "$python" -m venv --clear "$venv"; }
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing python3-venv …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; } >/dev/null
  else
    echo "Python's venv module is missing. As root: apt-get install python3-venv" >&2
    exit 1
  fi
fi
make_venv
# The editable install of the project builds with setuptools from this environment.
"$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-build.lock
