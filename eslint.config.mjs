import tseslint from 'typescript-eslint';

/** Imports that a folder must not have: the arrows of ARCHITECTURE.md. `allowTypeImports` stays off, a type is an arrow, too. */
function arrows(files, ...patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const cdktf = { group: ['cdktf', 'cdktf/*', 'constructs', '@cdktf/*'], message: 'config and rules are pure: no cdktf.' };
const remote = { group: ['**/remote', '**/remote/*'], message: 'config and rules do not know how Terraform gets to a node.' };
const upwards = { group: ['../*', '!../remote', '!../config', '!../rules', '!../config/*'], message: 'Nothing below lib/*.ts imports it.' };
const apps = {
  group: ['**/stacks', '**/stacks/*', '**/main', '**/lab/*', '**/examples/*', '**/bench/*'],
  message: 'The library does not know who uses it.',
};

export default tseslint.config(
  { ignores: ['node_modules/', 'build/', 'dist/', 'coverage/', '**/cdktf.out/', '.gen/', '**/*.js', '**/*.mjs'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      // jsii has no other word for a value of any type.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  arrows(['lib/*.ts'], apps),
  arrows(['lib/config/**/*.ts'], cdktf, remote, upwards, apps),
  arrows(['lib/rules/**/*.ts'], cdktf, remote, upwards, apps),
  arrows(['lib/remote/**/*.ts'], { group: ['../*'], message: 'remote takes plain values, from whoever calls it.' }, apps),
);
