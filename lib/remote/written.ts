import { IResolvable, IResolveContext, Token } from 'cdktf';
import { expression } from './text';

/** How a value is written inside of an expression. */
export type Write = (value: unknown) => string;

/**
 * A Terraform expression that is written out here, with values in it. cdktf's own operators and functions resolve each value several
 * times at every level that it is nested in: for the few large expressions of a pair that was more than all of the rest.
 */
export function written(render: (write: Write) => string): IResolvable {
  return {
    creationStack: [],
    resolve(context: IResolveContext): string {
      const outermost = !context.suppressBraces;
      // As cdktf's own: what stands inside is not put into `${}` again.
      context.suppressBraces = true;
      const text = render((value) => inExpression(context, value));
      return outermost ? `\${${text}}` : text;
    },
    toString(): string {
      return Token.asString(this);
    },
  };
}

function inExpression(context: IResolveContext, value: unknown): string {
  if (Token.isUnresolved(value)) {
    return context.resolve(typeof value === 'string' ? expression(value) : value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((inner) => inExpression(context, inner)).join(', ')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([key, inner]) => `${quoted(key)} = ${inExpression(context, inner)}`);
    return `{${entries.join(', ')}}`;
  }
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** As JSON, but for two escapes that Terraform does not know, and for what is a template to it. */
function quoted(text: string): string {
  const escapes: Record<string, string> = { '\\b': '\\u0008', '\\f': '\\u000c' };
  return JSON.stringify(text)
    .replace(/\\./g, (escape) => escapes[escape] ?? escape)
    .replace(/\$\{/g, '$$${')
    .replace(/%\{/g, '%%{');
}
