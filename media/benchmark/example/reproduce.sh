#!/bin/sh
# Checks this bundle, does its run again on this machine, and writes both reports side by side.
# MODELS: the folder of the model files; this one when it is not set.
set -eu
cd "$(dirname "$0")"
MODELS=${MODELS:-.}
hotpath verify . --level 1
hotpath bench --plan plan.json --allow-code --out repeated
hotpath report repeated --md --out repeated/report.md
echo "Compare report.md with repeated/report.md."
