// Lines around the cursor. Everything in this folder works on text whose line ends are "\n"; `normalizeLineEnds` is
// applied where text comes in.

export function normalizeLineEnds(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}

/** The cursor's line before the cursor. */
export function lineBefore(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf("\n") + 1);
}

/** The cursor's line after the cursor. */
export function lineAfter(suffix: string): string {
  const end = suffix.indexOf("\n");
  return end < 0 ? suffix : suffix.slice(0, end);
}

/** The lines below the cursor's line. */
export function linesBelow(suffix: string): string {
  const end = suffix.indexOf("\n");
  return end < 0 ? "" : suffix.slice(end + 1);
}

/** The lines above the cursor's line, without blank ones, nearest last. */
export function filledLinesAbove(prefix: string): string[] {
  return prefix.split("\n").slice(0, -1).filter(isFilled);
}

/** The first line below the cursor's line that is not blank. */
export function nextFilledLine(suffix: string): string | undefined {
  return linesBelow(suffix).split("\n").find(isFilled);
}

export function isFilled(line: string): boolean {
  return /\S/.test(line);
}

export function isBlank(line: string): boolean {
  return !isFilled(line);
}

/** The blanks a line starts with. */
export function indentOf(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

/** Columns the blanks at the start of a line take. */
export function indentWidth(line: string, tabSize: number): number {
  let width = 0;
  for (const blank of indentOf(line)) width += blank === "\t" ? tabSize - (width % tabSize) : 1;
  return width;
}

/** Whether a line ends where the body of a block is expected on the next, deeper line. */
export function opensBlock(line: string): boolean {
  return /(?:\{|(?<!:):|=>|\b(?:do|then|begin|else|try))$/.test(line.trimEnd());
}

/** As `opensBlock`, but sure: labels, keys and texts end with a colon, too, and their next line may be anywhere. */
export function opensBody(line: string): boolean {
  const head = /^\s*(?:async\s+)?(?:class|def|if|elif|else|for|while|try|except|finally|with|match|case)\b.*:$/;
  return line.trimEnd().endsWith("{") || head.test(line.trimEnd());
}

/** Whether a line ends in an open list, whose next line may be aligned to anything. */
export function opensList(line: string): boolean {
  return /[([]$/.test(line.trimEnd());
}
