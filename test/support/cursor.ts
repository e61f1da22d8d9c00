// Completion cases show code as code, with the cursor in it.

const cursor = "█";

/** The text on both sides of the one █. */
export function at(code: string): { readonly prefix: string; readonly suffix: string } {
  const [prefix, suffix, ...more] = code.split(cursor);
  if (prefix === undefined || suffix === undefined || more.length > 0) {
    throw new Error(`A case needs exactly one ${cursor}: ${JSON.stringify(code)}`);
  }
  return { prefix, suffix };
}
