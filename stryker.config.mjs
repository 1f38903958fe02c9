/** Mutation tests, CONTRIBUTING.md says how; what survives is explained in docs/mutation.md. */
export default {
  mutate: ['lib/config/**/*.ts', 'lib/rules/**/*.ts'],
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'jest.mutation.config.js' },
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // A mutant that is slow because the machine is busy is not dead.
  timeoutMS: 60000,
  incremental: true,
  incrementalFile: '.stryker/incremental.json',
  tempDirName: '.stryker/sandbox',
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: '.stryker/mutation.json' },
  clearTextReporter: { logTests: false, allowColor: false },
  thresholds: { high: 95, low: 90, break: 85 },
};
