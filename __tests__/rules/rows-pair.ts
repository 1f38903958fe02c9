import { RuleInput, Sibling } from '../../lib/rules/rule';
import { Rows } from './row';

const services = (...names: string[]) => ({ services: names });
const sibling = (other: Partial<Sibling>, change: RuleInput = {}): RuleInput => ({
  ...change,
  siblings: [{ path: 'App/Other', ...other }],
});
const SHARE = { server: '192.0.2.13', exportPath: '/mnt/nfs_share' };
const segment = (name: string) => ({ virtualIp: { segment: name } });

const NAME = 'monitoredServices: must be the name of a systemd service without its ending, got';
const SEE = 'see `systemctl list-units --type=service` for it';
const OURS = 'monitoredServices: must be a service of NGINX Instance Manager, not one that decides where it runs, got';
const ONLY_ID =
  'virtualIp.virtualRouterId: must be the only one of its number on its segment, got 251 as App/Other has';
const CHANGE_ID = 'choose another one';
const UNUSED = 'virtualIp.address: must be an unused address, got "192.0.2.100" as App/Other has';
const ONE_PAIR = 'must be a node of one pair only, got';

export const pairRows: Rows = {
  'value/not-given': {
    passes: [{ notGiven: [] }],
    fails: [
      [
        { notGiven: [{ path: 'ssh.privateKey', got: 'undefined' }] },
        'ssh.privateKey: must have a value, got undefined; give one; where it comes from an environment variable, set that',
      ],
    ],
  },
  'value/type': {
    passes: [{ wrongKind: [] }],
    fails: [
      [
        { wrongKind: [{ path: 'primary.port', expected: 'a number', got: 'a text' }] },
        'primary.port: must be a number, got a text; convert it; what comes from the environment is a text, and in JSON quotes make one',
      ],
    ],
  },
  'service/none': {
    passes: [services('nginx')],
    fails: [
      [services(), "monitoredServices: must name at least one service, got none; leave it out for the guide's six"],
    ],
  },
  'service/name-syntax': {
    passes: ['nginx', 'clickhouse-server', 'app@1', 'a.b_c', 'x', 'x'.repeat(247), 'nginx.path-helper'].map((name) => services(name)),
    fails: [
      [services('nginx.service'), `${NAME} "nginx.service"; write "nginx"`],
      [services('a.service.b.service'), `${NAME} "a.service.b.service"; write "a.service.b"`],
      [services('nginx.service.service'), `${NAME} "nginx.service.service"; write "nginx"`],
      ...['', 'nginx.socket', 'app@', 'a b', '-x', '.x', 'a/b', 'a"b', '$(id)', 'x'.repeat(248)].map(
        (name): [object, string] => [services('nms-core', name), `${NAME} ${JSON.stringify(name)}; ${SEE}`],
      ),
      [services('a b', 'c d'), `${NAME} "a b"; ${SEE}`, `${NAME} "c d"; ${SEE}`],
    ],
  },
  'service/reserved': {
    passes: ['nim-happy', 'keepalived-exporter', 'my-keepalived'].map((name) => services(name)),
    fails: ['keepalived', 'nim-ha-lock', 'nim-ha-agent', 'nim-ha'].map((name) => [
      services('nginx', name),
      `${OURS} "${name}"; leave it out`,
    ]),
  },
  'service/repeated': {
    passes: [services('nginx', 'nms-core')],
    fails: [
      [
        services('nginx', 'nms-core', 'nginx'),
        'monitoredServices: must name each service once, got "nginx" again; remove the second',
      ],
    ],
  },
  'guide/oidc-forward-proxy': {
    passes: [{ oidc: true }, { forwardProxy: true }],
    fails: [
      [
        { oidc: true, forwardProxy: true },
        'oidc: OpenID Connect cannot pass authentication requests through a forward proxy, got both oidc and forwardProxy; switch one of them off',
      ],
    ],
  },
  'synth/add-dependency': {
    passes: [{ addedDependencies: [] }],
    fails: [
      [
        { addedDependencies: ['stack/Disk', 'stack/Rule'] },
        'dependsOn: CDKTF does nothing for node.addDependency, got "stack/Disk"; give it here, or the resources in it',
        'dependsOn: CDKTF does nothing for node.addDependency, got "stack/Rule"; give it here, or the resources in it',
      ],
    ],
  },
  'synth/hcl': {
    passes: [{ hclOutput: false }],
    fails: [[{ hclOutput: true }, 'synth: must be JSON, in HCL CDKTF leaves out what a removal needs, got SYNTH_HCL_OUTPUT; unset it, or leave out --hcl']],
  },
  'segment/router-id-twice': {
    passes: [
      sibling({ virtualRouterId: 252, segment: 'a' }, segment('a')),
      sibling({ virtualRouterId: 251, segment: 'a' }, segment('b')),
      sibling({ virtualRouterId: 251, segment: 'a' }),
      sibling({ virtualRouterId: 251 }, segment('b')),
      sibling({ virtualRouterId: 251 }),
    ],
    fails: [
      [sibling({ virtualRouterId: 251, segment: 'a' }, segment('a')), `${ONLY_ID} on the segment "a"; ${CHANGE_ID}`],
    ],
  },
  'segment/address-twice': {
    passes: [
      sibling({ virtualIp: '192.0.2.101', segment: 'a' }, segment('a')),
      sibling({ virtualIp: '192.0.2.100', segment: 'a' }, segment('b')),
      sibling({ virtualIp: '192.0.2.100' }),
    ],
    fails: ['192.0.2.100', '192.0.2.100/24'].map((virtualIp) => [
      sibling({ virtualIp, segment: 'a' }, segment('a')),
      `${UNUSED} on the segment "a"; reserve another one`,
    ]),
  },
  'pairs/node-twice': {
    passes: [
      sibling({
        nodes: [
          { host: '192.0.2.21', port: 22 },
          { host: '192.0.2.11', port: 2222 },
        ],
      }),
      sibling({ nodes: [{ host: '192.0.2.11', port: 22, via: 'oslo.example' }] }, { ssh: { via: 'bergen.example' } }),
      sibling({ nodes: [{ host: '192.0.2.11', port: 22, via: 'oslo.example' }] }),
    ],
    fails: [
      [
        sibling({
          nodes: [
            { host: '192.0.2.21', port: 22 },
            { host: '192.0.2.12', port: 22 },
          ],
        }),
        `secondary.host: ${ONE_PAIR} "192.0.2.12", a node of App/Other too; give each pair its own servers`,
      ],
      [
        sibling({ nodes: [{ host: '192.0.2.11', port: 22, via: 'oslo.example' }] }, { ssh: { via: 'oslo.example' } }),
        `primary.host: ${ONE_PAIR} "192.0.2.11", a node of App/Other too; give each pair its own servers`,
      ],
    ],
  },
  'pairs/share-twice': {
    passes: [
      sibling({ nfs: { server: '192.0.2.13', exportPath: '/mnt/other' } }),
      sibling({ nfs: { server: '192.0.2.14', exportPath: '/mnt/nfs_share' } }),
      sibling({ nodes: [{ host: '192.0.2.11', port: 22, via: 'oslo.example' }], nfs: SHARE }),
    ],
    fails: [
      [
        sibling({ nodes: [{ host: '192.0.2.21', port: 22 }], nfs: SHARE }),
        'nfsShare.exportPath: must be the share of one pair only, got "/mnt/nfs_share", the share of App/Other too; give each pair its own',
      ],
      [
        sibling({ nfs: SHARE }),
        'nfsShare.exportPath: must be the share of one pair only, got "/mnt/nfs_share", the share of App/Other too; give each pair its own',
      ],
    ],
  },
};
