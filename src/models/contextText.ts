/** "4096 tokens of context for 4 files": for more of them the engine keeps no work, and computes it anew. */
export function describeContext(model: { readonly contextLength: number; readonly sequenceCount: number }): string {
  const { contextLength, sequenceCount } = model;
  return `${contextLength} tokens of context for ${sequenceCount === 1 ? "1 file at a time" : `${sequenceCount} files`}`;
}
