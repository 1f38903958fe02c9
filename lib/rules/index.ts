import { authPassRules } from './auth-pass';
import { guideLimitRules } from './guide-limits';
import { loginRules } from './login';
import { mountOptionRules } from './mount-options';
import { nfsFencingRules } from './nfs-fencing';
import { nfsShareRules } from './nfs-share';
import { nodeRules } from './nodes';
import { notGivenRules } from './not-given';
import { Rule, RuleInput } from './rule';
import { serviceRules } from './services';
import { siblingRules } from './siblings';
import { sshRules } from './ssh';
import { synthesisRules } from './synthesis';
import { valueTypeRules } from './value-type';
import { virtualIpRules } from './virtual-ip';

/** Everything that is refused before anything is deployed. `id`, `summary` and `guide` are what documentation needs. */
export const RULES: Rule[] = [
  ...notGivenRules,
  ...valueTypeRules,
  ...nodeRules,
  ...sshRules,
  ...loginRules,
  ...virtualIpRules,
  ...authPassRules,
  ...nfsShareRules,
  ...nfsFencingRules,
  ...mountOptionRules,
  ...serviceRules,
  ...guideLimitRules,
  ...siblingRules,
  ...synthesisRules,
];

/** All that is wrong, in one go. */
export function checkAll(input: RuleInput): Array<{ id: string; message: string }> {
  return RULES.flatMap(({ id, check }) => check(input).map((message) => ({ id, message: `${message} [${id}]` })));
}
