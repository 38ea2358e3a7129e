/** A name, and a value in quotes or without; what follows is a comment. */
const LINE = /^\s*([a-z_][\w.]*)\s*=?\s*('(?:[^'\\]|''|\\.)*'|[^\s#']+)/i;

const isInclude = (name: string): boolean => /^include(_if_exists|_dir)?$/i.test(name);

/** What files in the format of postgresql.conf set, by parameter: of several lines the last one counts. */
export function confLines(texts: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of texts.join("\n").split("\n")) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !isInclude(name)) values.set(name.toLowerCase(), unquoted(value));
  }
  return values;
}

const unquoted = (value: string): string =>
  value.startsWith("'") ? value.slice(1, -1).replaceAll("''", "'").replaceAll(/\\(.)/g, "$1") : value;
