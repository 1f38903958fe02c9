import { readFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { BUILD_TIMEOUT, builtLibrary, root, tool } from './built-library';

test('jsii compiles the library, and API.md is what its generator makes of it (npm run docs)', () => {
  const generated = join(tmpdir(), 'API.md');
  tool(builtLibrary(), 'jsii-docgen', '-o', generated);
  expect(readFileSync(generated, 'utf8')).toBe(readFileSync(join(root, 'API.md'), 'utf8'));
}, BUILD_TIMEOUT);
