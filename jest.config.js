module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  // Workers inherit TMPDIR from here; it is removed after the last test.
  globalSetup: '<rootDir>/__tests__/global-setup.ts',
  globalTeardown: '<rootDir>/__tests__/global-teardown.ts',
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
  moduleNameMapper: { '^cdktf-nim-ha$': '<rootDir>/lib/index.ts' },
  // The library's build output also holds a package.json-shaped tree; jest must not see it twice.
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/dist', '<rootDir>/cdktf.out'],
  // Most tests wait for processes of their own: a core each is not too many.
  maxWorkers: '100%',
  testTimeout: 60000,
};
