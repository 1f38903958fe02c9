import { createHash } from 'crypto';
import { Fn, Token } from 'cdktf';

const TOKEN = /(\$\{TfToken\[[^\]]+\]\})/;

/**
 * Literal text, such as shell, that Terraform must hand on as it is: every `${` and `%{` in a string is a template to it.
 * cdktf's own tokens stay what they are.
 */
export function escapeTemplate(text: string): string {
  return text.replace(/\$\{(?!TfToken\[)/g, '$$${').replace(/%\{/g, '%%{');
}

/**
 * A Terraform expression for text with tokens in it, fit to be the argument of a function. cdktf does not quote such
 * text rightly (newlines, quotes, `${`), so the literal parts travel as base64.
 */
export function expression(text: string): string {
  const parts = text.split(TOKEN).filter((part) => part !== '');
  if (parts.length === 1 && Token.isUnresolved(text)) {
    return text;
  }
  return Fn.join('', parts.map((part) => (Token.isUnresolved(part) ? part : Fn.base64decode(base64(part)))));
}

/**
 * Text as the value of an attribute. Beside a token cdktf and Terraform take a literal "$" or "${" for a part of the template, behind a
 * carriage return Terraform does not know its escapes, and a byte order mark it leaves out: such text travels as base64.
 */
export function attribute(text: string): string {
  return Token.isUnresolved(text) || /[\r\ufeff]/.test(text) ? expression(text) : escapeTemplate(text);
}

/** Base64 of a text. With a token in it only Terraform can tell. */
export function encode(text: string): string {
  return Token.isUnresolved(text) ? Fn.base64encode(expression(text)) : base64(text);
}

/** A SHA-256, in hex, that changes when the text does. With a token in it only Terraform can tell. */
export function sha256(text: string): string {
  if (!Token.isUnresolved(text)) {
    return literalSha256(text);
  }
  // The literal parts are hashed here: they may be long, and the expression is written out in full.
  const parts = text.split(TOKEN);
  const literals = parts.filter((_, index) => index % 2 === 0);
  const tokens = parts.filter((_, index) => index % 2 === 1);
  return Fn.sha256(Fn.join(' ', [literalSha256(JSON.stringify(literals)), ...tokens]));
}

/** A list, one element per line. As one token it can only be joined by Terraform. */
export function lines(values: string[]): string {
  return Token.isUnresolved(values) ? Fn.join(Fn.base64decode(base64('\n')), values) : values.join('\n');
}

function literalSha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
