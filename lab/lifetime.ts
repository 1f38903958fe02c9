import { destroyLab } from './state';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
let listening = false;

/** Makes a signal an ordinary end of this process, so that what has to be taken down on exit is. */
export function exitOnSignals(): void {
  if (listening) return;
  listening = true;
  for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(code));
}

/**
 * The lab ends when this process does, however that comes about; a SIGKILL is noticed by the switch.
 *
 * @returns what to call when the lab may outlive this process
 */
export function endWithProcess(workdir: string): () => void {
  const end = (): void => destroyLab(workdir);
  process.on('exit', end);
  return () => process.off('exit', end);
}
