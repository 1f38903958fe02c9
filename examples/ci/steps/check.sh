#!/bin/bash
# Everything that can be known without touching a server: the program compiles and every rule of the library holds.
# $1... are handed to cdktf.
set -euo pipefail
export CHECKPOINT_DISABLE=1 TF_INPUT=0

# cdktf runs the program without a look at its types.
if [[ -f tsconfig.json ]]; then
  npx tsc --noEmit </dev/null
fi
npx cdktf synth "$@" </dev/null
