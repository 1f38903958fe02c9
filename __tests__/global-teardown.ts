import { rmSync } from 'fs';

export default function teardown(): void {
  const directory = (globalThis as { nimHaTemporary?: string }).nimHaTemporary;
  if (directory) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
