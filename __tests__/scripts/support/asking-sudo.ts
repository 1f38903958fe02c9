/** A password that each quoting would get wrong in its own way. */
export const SUDO_PASSWORD = `p$' "\\ö 1`;

/**
 * Stand-ins for a sudo that may ask for what is in `$OUT/expected`, by how often it does.
 *
 * @param words all that it is called with before the command, as `$*` shows them
 * @param count how many words these are; an empty one does not show
 */
export function askingSudo(words: string, count: number): { eachTime: string; ways: [string, string][] } {
  const obey = `shift ${count}; exec "$@"`;
  const refuse = 'printf "Sorry, try again.\\n\\nsudo: 1 incorrect password attempt\\n" >&2; exit 1';
  const eachTime = `[[ "\${*:1:${count}}" == "${words}" ]] && IFS= read -r word && [[ $word == "$(<"$OUT/expected")" ]] || { ${refuse}; }; ${obey}`;
  return {
    eachTime,
    ways: [
      ['each time', eachTime],
      ['once', `[[ -e $OUT/asked ]] && { ${obey}; }; : >"$OUT/asked"; ${eachTime}`],
      ['never', obey],
    ],
  };
}
