// What needs a browser, and so is not part of `npm test`: CHROMIUM names the program, default chromium on the path.
const base = require('./jest.config');

module.exports = { ...base, testMatch: ['**/__tests__/browser/*.browser.ts'] };
