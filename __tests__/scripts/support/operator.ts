import { spawnSync } from 'child_process';
import { mkdirSync, readdirSync, rmSync } from 'fs';
import { join, resolve } from 'path';
import { FileTree } from './file-tree';

export const SSH_NODE = resolve(__dirname, '../../../scripts/operator/ssh-node.sh');
export const STATUS = '{"reachable":true,"reason":"","phase":"ACTIVE"}';
export const NODE = ['NIM_HA_HOST=192.0.2.11', 'NIM_HA_PORT=2222', 'NIM_HA_USER=ops', 'NIM_HA_HOST_KEYS=ssh-ed25519 AAAA\n@cert-authority host:22 ssh-rsa BBBB'];
export const WITH_KEY = [...NODE, 'NIM_HA_KEY_ENV=TF_VAR_key'];

/** The machine that runs Terraform, with an OpenSSH client of stand-ins: the node's answer is made beforehand. */
export class Operator extends FileTree {
  constructor() {
    super('nim-ha-ssh-');
    this.standIn('ssh', 'cp "$2" "$OUT/config"; cp "${2%/*}"/known_hosts.* "$OUT" 2>/dev/null; printf "%s\\n" "$@" >"$OUT/arguments"; env >"$OUT/environment"; cat "$OUT/error" >&2 2>/dev/null; cat "$OUT/answer"; exit "$(cat "$OUT/code")"');
    this.standIn('ssh-agent', 'printf "%s\\n" "$@" >"$OUT/agent-arguments"; sleep 60 >/dev/null 2>&1 & echo "SSH_AUTH_SOCK=${@: -1}; export SSH_AUTH_SOCK; SSH_AGENT_PID=$!; export SSH_AGENT_PID;"; echo $! >"$OUT/agent"');
    this.standIn('ssh-add', 'printf "%s\\n" "$@" >"$OUT/add-arguments"; env >"$OUT/add-environment"; cat >"$OUT/added"; grep -q KEY "$OUT/added" || { echo "Error loading key \\"(stdin)\\": error in libcrypto" >&2; exit 1; }');
    this.answer(0, STATUS);
  }

  public standIn(name: string, body: string): void {
    this.write(name, `#!/bin/bash\n${body}\n`, 0o755);
  }

  public answer(code: number, text: string, error = ''): void {
    this.write('code', `${code}`);
    this.write('answer', `${text}\n`);
    this.write('error', error);
  }

  public run(args: string[], environment: Record<string, string> = { TF_VAR_key: 'PRIVATE KEY\n' }): { code: number | null; out: string } {
    const scratch = join(this.root, 'tmp');
    mkdirSync(scratch, { recursive: true });
    const done = spawnSync('bash', [SSH_NODE, ...args], {
      env: { PATH: `${this.root}:${process.env.PATH}`, OUT: this.root, TMPDIR: scratch, ...environment },
      encoding: 'utf8',
      timeout: 20_000,
    });
    // The key and the configuration, among others.
    expect(readdirSync(scratch)).toEqual([]);
    return { code: done.status, out: done.stdout };
  }


  public destroy(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
