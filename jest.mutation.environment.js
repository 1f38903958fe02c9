const { TestEnvironment } = require('jest-environment-node');

/** One failed test kills a mutant: what follows it in the same file need not run. */
module.exports = class extends TestEnvironment {
  handleTestEvent(event) {
    if (event.name === 'test_fn_failure') this.dead = true;
    if (event.name === 'test_start' && this.dead) event.test.mode = 'skip';
  }
};
