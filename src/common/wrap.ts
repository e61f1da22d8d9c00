/**
 * A line as lines of at most `width` characters, broken at blanks, all but the first indented. A word that is longer is
 * left whole.
 */
export function wrap(line: string, width: number, indent: number): string {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const text = rest.search(/\S/);
    const last = rest.lastIndexOf(" ", width);
    const end = last > text ? last : rest.indexOf(" ", Math.max(width, text));
    if (end < 0) break;
    lines.push(rest.slice(0, end).trimEnd());
    rest = " ".repeat(indent) + rest.slice(end).trimStart();
  }
  return [...lines, rest].join("\n");
}
