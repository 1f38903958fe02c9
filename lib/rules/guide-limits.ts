import { problem, Rule } from './rule';

/**
 * The guide's "Limitations". Two need no rule, for they cannot be written: a third node, and two active ones.
 *
 * Nor is there one for the guide's call-out on connected and disconnected mode. It demands that nms.conf is changed on both
 * nodes where `nms-integrations` is monitored; the deploy changes it on both whenever a mode is given, so no list of services
 * and mode contradict each other.
 */
export const guideLimitRules: Rule[] = [
  {
    id: 'guide/oidc-forward-proxy',
    summary: 'OpenID Connect is not combined with forward-proxy mode.',
    guide: 'Limitations',
    check: ({ oidc, forwardProxy }) => {
      if (!oidc || !forwardProxy) return [];
      const demand = 'OpenID Connect cannot pass authentication requests through a forward proxy';
      return [problem('oidc', demand, 'both oidc and forwardProxy', 'switch one of them off')];
    },
  },
];
