import { readFileSync } from 'fs';
import { join } from 'path';
import Ajv, { ErrorObject, ValidateFunction } from 'ajv';

const SCHEMA = join(__dirname, '..', 'config.schema.json');
let compiled: ValidateFunction | undefined;

/** What the schema finds wrong, in words for the person who wrote the file. */
export function againstSchema(config: unknown): string[] {
  compiled ??= new Ajv({ allErrors: true, verbose: true }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));
  if (compiled(config)) return [];
  const errors = compiled.errors ?? [];
  // A login that there is not is told once, and not for each key that depends on it.
  const unknown = errors.filter((error) => error.keyword === 'enum' && !neededBy(error)).map(({ instancePath }) => instancePath);
  return errors.filter((error) => !(neededBy(error) && unknown.includes(error.instancePath))).flatMap(problem);
}

/** The key whose presence asks for what the error misses. */
function neededBy({ schemaPath }: ErrorObject): string | undefined {
  return /\/dependencies\/(\w+)\//.exec(schemaPath)?.[1];
}

function problem(error: ErrorObject): string[] {
  const { instancePath, keyword, params, data, message, propertyName } = error;
  const keys = instancePath.slice(1).split('/').map((key) => key.replace(/~1/g, '/').replace(/~0/g, '~'));
  const path = keys.join('.') || '(top level)';
  const key = neededBy(error);
  if (key !== undefined) {
    const fits = key === 'privateKeyFile' ? '"login": "private-key-file"' : '"login": "private-key" or "password"';
    const [ssh, got] = keyword === 'required' ? [path, 'no "login"'] : [keys.slice(0, -1).join('.'), `"login": ${shown(data)}`];
    return [`${ssh}: ${key} needs ${fits}, got ${got}; change the login, or take ${key} out`];
  }
  switch (keyword) {
    // What it is made of is told, too.
    case 'if':
    case 'propertyNames':
      return [];
    case 'additionalProperties':
      return [`${path}: unknown key "${params.additionalProperty}"`];
    case 'required':
      return [`${path}: missing key "${params.missingProperty}"`];
    case 'enum':
      return [`${path}: must be one of ${params.allowedValues.join(', ')}, got ${shown(data)}`];
    case 'type':
      return [`${path}: ${message}, got ${kindOf(data, params.type)}`];
    case 'minProperties':
      return [`${path}: ${path === 'pairs' ? NO_PAIR : 'names no type, expected one such as "s3"; take "backend" out for a local state'}`];
    case 'maxProperties':
      return [`${path}: must have one type, got ${Object.keys(data as object).join(', ')}; take out all but one`];
    case 'pattern':
      return [`${path}: ${propertyName === undefined ? NO_VARIABLE : `the name "${propertyName}" is not allowed, ${PAIR_NAME}; rename the pair`}`];
    default:
      return [`${path}: ${message}`];
  }
}

const PAIR_NAME = 'expected a letter, then letters, digits, "_" and "-", 63 in all at most';
// What stands there may be the secret itself.
const NO_VARIABLE = 'must be the name of a Terraform variable, expected a letter of a-z, then a-z, digits and "_"; the value goes into TF_VAR_ and this name';
const NO_PAIR = 'has no pair, expected at least one; to remove the last pair put it back, run "npx cdktf destroy" with its name, and delete the file then';

/** The value where it is short and has nothing in it, else what it is. */
function shown(data: unknown): string {
  if (Array.isArray(data)) return 'an array';
  if (typeof data === 'object' && data !== null) return 'an object';
  return typeof data === 'string' && data.length > 30 ? 'a long text' : JSON.stringify(data);
}

/** For a value of another type: what is in the wrong place may be a secret, so a text is not shown, nor a number where there should be one. */
function kindOf(data: unknown, expected: string): string {
  if (typeof data === 'string') return 'a text';
  return typeof data === 'number' && expected !== 'integer' ? 'a number' : shown(data);
}
