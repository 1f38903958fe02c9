const shared = require('./jest.config');

// The tests that load lib/config and lib/rules in their own process, where a mutant is switched on, and that start no other:
// a built copy of the library and a node's shell would not see it.
module.exports = {
  ...shared,
  testEnvironment: require.resolve('./jest.mutation.environment'),
  testMatch: [
    '**/__tests__/config/*.test.ts',
    '**/__tests__/rules/rules.test.ts',
    '**/__tests__/guide-coverage.test.ts',
  ],
  // Types are checked by `npm run lint`; here every mutant would pay for it.
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', diagnostics: false }] },
};
