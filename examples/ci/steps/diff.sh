#!/bin/bash
# What a deploy would do, for the reader of a change request. Observed state moves by itself (a failover changes
# active_node), so only resources count as a change. $1... are handed to cdktf.
# A pair that the change deletes from the program is not in here: cdktf knows the stacks of the program only, and a deploy leaves that pair
# on its nodes and in its state. Run "npx cdktf destroy" with its name before its key is deleted.
set -euo pipefail
export CHECKPOINT_DISABLE=1 TF_INPUT=0

node "$(dirname "$0")/state-kept.js"
out="${CDKTF_OUTPUT:-cdktf.out}"
# A plan can hold what the variables held; it is not left behind for a later job to pick up.
trap 'rm -f "$out"/stacks/*/plan' EXIT

# "cdktf diff" takes one stack at a time.
npx cdktf synth --output "$out" </dev/null
for stack in "$out"/stacks/*/; do
  name="$(basename "$stack")"
  npx cdktf diff "$name" --skip-synth --output "$out" "$@" </dev/null
  (cd "$stack" && "${TERRAFORM_BINARY_NAME:-terraform}" show -json plan) | node "$(dirname "$0")/plan-summary.js" "$name"
done
