import type { Config } from './config-model';
import { parsed, textOf } from './json-file';
import { unfitNames } from './names';
import { againstSchema } from './schema';
import { visible } from './visible';

/**
 * Reads and checks the file.
 *
 * @throws an error whose message is meant for the person who wrote the file: all that is wrong, each with its path
 */
export function loadConfig(file: string | undefined): Config {
  if (!file) {
    throw new Error('NIM_HA_CONFIG is not set; set it to the JSON file that describes your pairs (config.schema.json says what goes in)');
  }
  return configOf(file, textOf('NIM_HA_CONFIG', file));
}

/** The same for the text of a file. */
export function configOf(file: string, text: string): Config {
  const { value: config, repeated } = parsed(file, text);
  const problems = [...repeated, ...againstSchema(config), ...tokens('', config), ...unfitNames(config), ...sharedState(config)].map((line) => `  ${visible(line)}`);
  if (problems.length > 0) {
    throw new Error([`${file} is not a valid configuration:`, ...problems].join('\n'));
  }
  return config as Config;
}

/** What cdktf would take for a token of this program, such as that of a secret, and put its value in. */
function tokens(path: string, value: unknown): string[] {
  const refused = `${path || '(top level)'}: must not look like a token of cdktf, got ${JSON.stringify(value)}`;
  if (typeof value === 'string') return value.includes('TfToken[') ? [refused] : [];
  // The token of a number is a number, too, far beyond all that mean something.
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? [refused] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const inside = path === '' ? key : `${path}.${key}`;
    return [...(Array.isArray(value) ? [] : tokens(`${path || '(top level)'}, a key`, key)), ...tokens(inside, inner)];
  });
}

/** In one state the pairs would have the same names: each deploy of one would remove the others from their nodes. */
function sharedState(config: unknown): string[] {
  const { backend, pairs } = (config ?? {}) as Partial<Config>;
  const [type, settings] = Object.entries(backend ?? {})[0] ?? [];
  // A local one without a path has a file per pair; no other setting of it makes one.
  const place = type === 'local' ? Object(settings).path || '{pair}' : settings;
  if (type === undefined || Object.keys(pairs ?? {}).length < 2 || JSON.stringify(place).includes('{pair}')) return [];
  return [`backend.${type}: must have {pair} in one of its settings, such as the state's key or path, for each pair needs a state of its own; ${MOVE}`];
}

/** Terraform starts from an empty state where it has not seen the old place, or is not told to move. */
const MOVE =
  'the state that is there does not move by itself: with the file as it was run "npx cdktf diff" with the name of the pair that is deployed, then add {pair} and run "npx cdktf diff" with its name and --migrate-state (README, "State")';
