import { createConnection } from 'node:net';

/** Gives qemu one command over its control socket and waits for the answer. */
export function qmp(socketPath: string, command: string, args: Record<string, unknown> = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    let pending = '';
    const send = (execute: string, withArgs = {}): void => void socket.write(`${JSON.stringify({ execute, arguments: withArgs })}\n`);
    const end = (): void => void socket.destroy();
    socket.setTimeout(10_000, () => socket.destroy(new Error(`qemu does not answer to ${command}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`qemu closed the connection on ${command}`)));
    let negotiated = false;
    socket.on('data', (chunk) => {
      const lines = (pending + chunk.toString()).split('\n');
      pending = lines.pop() ?? '';
      for (const message of lines.filter((line) => line.trim()).map((line) => JSON.parse(line))) {
        if (message.QMP) send('qmp_capabilities');
        else if (message.error) {
          reject(new Error(`qemu: ${command}: ${message.error.desc}`));
          end();
        } else if ('return' in message && !negotiated) {
          negotiated = true;
          send(command, args);
        } else if ('return' in message) {
          resolve(message.return);
          end();
        }
      }
    });
  });
}
