#!/bin/sh
# Applies everything that is pending, of all services, in the one order that bgce.toml and bgce.lock give.
#
#   DATABASE_URL=postgresql://... scripts/run-all-migrations.sh [options of `bgce-migrate up`]
#
# It is `bgce-migrate up` under the name that the platform's runbooks know; its exit codes are in
# docs/reference/exit-codes.md. BGCE names another program than the one found here.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

# A secret that is missing arrives as an empty string; an unset variable is looked up by the program.
if [ "${DATABASE_URL-unset}" = "" ]; then
    echo "error: DATABASE_URL is set and empty" >&2
    exit 2
fi

if [ -n "${BGCE-}" ]; then
    exec "$BGCE" --config "$root/bgce.toml" up --no-input "$@"
elif [ -x "$root/.venv/bin/bgce-migrate" ]; then
    exec "$root/.venv/bin/bgce-migrate" --config "$root/bgce.toml" up --no-input "$@"
elif command -v bgce-migrate >/dev/null 2>&1; then
    exec bgce-migrate --config "$root/bgce.toml" up --no-input "$@"
fi
echo "error: bgce-migrate is not installed" >&2
echo "hint: make migrate-status installs it into .venv; or pip install bgce-migrate" >&2
exit 2
