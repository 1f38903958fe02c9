import { Token, Tokenization } from 'cdktf';

/** A number as text; a number that is a token keeps being one. */
export function numberText(value: number): string {
  return Token.isUnresolved(value) ? String(Tokenization.reverseNumber(value)) : String(value);
}
