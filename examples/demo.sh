#!/bin/sh
# What personalizer does for a project, from nothing to a generated test.
#   sh examples/demo.sh PERSONALIZER PROJECT
set -eu
personalizer=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$2"
PERSONALIZER_DATA_DIR=$(mktemp -d)
export PERSONALIZER_DATA_DIR
trap 'rm -rf "$PERSONALIZER_DATA_DIR"' EXIT
say() { printf '\n$ personalizer %s\n' "$*"; "$personalizer" "$@"; }

say index .
say train . --budget 3m
say status .
say generate "Money#clamp" --trust
