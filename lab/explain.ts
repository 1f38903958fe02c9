import type { Lab } from './lab';
import { NODES } from './machines';

const UNITS = ['keepalived', 'nim-ha-lock', 'nim-ha-agent', 'nim-ha-step', 'clickhouse-server'];

/** The journals that explain a failure, for whoever reads it. */
export async function explain(lab: Lab): Promise<string> {
  // Matches of one kind are alternatives, of two kinds both demanded, unless there is a plus between them.
  const matches = ['SYSLOG_IDENTIFIER=nim-ha', ...UNITS.map((unit) => `_SYSTEMD_UNIT=${unit}.service`)].join(' + ');
  const command = `sudo nim-ha status; sudo journalctl --no-pager --boot --lines=150 ${matches}; sudo systemctl --no-pager --failed`;
  const parts = NODES.map(async (name) => {
    const said = await lab.machine(name).ssh(command, { accept: 'any', timeout: 60_000 }).catch((error: Error) => ({ stdout: error.message }));
    return `── ${name}\n${said.stdout}\n`;
  });
  return (await Promise.all(parts)).join('\n');
}
