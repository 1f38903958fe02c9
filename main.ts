import { App } from 'cdktf';
import { loadConfig } from './stacks/config';
import { knowsEphemeral } from './stacks/ephemeral';
import { NimHaStack } from './stacks/nim-ha-stack';

/** The reference app: NIM_HA_CONFIG=file.json npx cdktf deploy '*' */
function main(): void {
  const { backend, pairs, ephemeralSecrets = knowsEphemeral() } = loadConfig(process.env.NIM_HA_CONFIG);
  const app = new App();
  for (const [name, pair] of Object.entries(pairs)) {
    new NimHaStack(app, name, { pair, backend, ephemeralSecrets });
  }
  app.synth();
}

try {
  main();
} catch (error) {
  // What is wrong with the file or the pairs is the user's to read; where in our code it was found is not.
  // The rules name what a program gives; one of these is called otherwise in the file.
  console.error((error as Error).message.replace(/^( +\[\S+\] (?:\w+\.)*ssh)\.path:/gm, '$1.privateKeyFile:'));
  process.exitCode = 1;
}
