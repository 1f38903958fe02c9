// Reads `terraform show -json` of a plan and prints the resources that would change. Argument: the stack's name.
const plan = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const changes = (plan.resource_changes ?? []).filter(({ change }) => change.actions.some((action) => !['no-op', 'read'].includes(action)));
console.log(`${process.argv[2]}: ${changes.length} resources would change`);
for (const { address, change } of changes) console.log(`  ${change.actions.join('+')} ${address}`);
