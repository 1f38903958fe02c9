// A pipeline's directory is new, or cleaned, for each job: a state file in it is gone with the job, and the next deploy would start with an empty state.
// So what runs in one ends here where the config file of the reference app names no backend. An app of your own has no such file.
const { readFileSync } = require('fs');

const file = process.env.NIM_HA_CONFIG;

/** Whether the file is one that names no backend. What else may be wrong with it, the app says. */
function withoutBackend() {
  try {
    const config = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return typeof config === 'object' && config !== null && !Array.isArray(config) && config.backend === undefined;
  } catch {
    return false;
  }
}

if (file && !['', 'false', '0'].includes(process.env.CI ?? '') && withoutBackend()) {
  console.error(
    `${file}: "backend", got none, expected one in a pipeline, whose directory is cleaned, and the state with it; name one (README, "State"), and take along the state of a pair that is deployed already`,
  );
  process.exitCode = 1;
}
