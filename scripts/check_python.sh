#!/bin/sh
# Says in one sentence what is missing before an environment can be made. Called by `make setup` with the Python to use.
python=$1

if [ -z "$python" ]; then
    echo "Python 3.11 or newer is not installed: on Debian, run 'apt-get install python3 python3-venv' and try again." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$python is older than 3.11: on Debian 12 or newer, run 'apt-get install python3 python3-venv', or say where another is with 'make setup PYTHON=/path/to/python3'." >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$python cannot make environments: on Debian, run 'apt-get install python$version-venv' and try again." >&2
    exit 1
fi
