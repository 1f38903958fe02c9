#!/bin/bash
# Deploys every stack of the app. Two runs at once are kept apart by the backend's lock and by the nodes themselves.
# $1... are handed to cdktf.
set -euo pipefail
export CHECKPOINT_DISABLE=1 TF_INPUT=0

node "$(dirname "$0")/state-kept.js"
npx cdktf deploy '*' --auto-approve --output "${CDKTF_OUTPUT:-cdktf.out}" "$@" </dev/null
