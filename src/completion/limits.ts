// How much of a model's context a completion may take.

/** At least three quarters of the context are for the prompt: without code around it a completion is a guess. */
export function fitMaxTokens(maxTokens: number, contextLength: number): number {
  return Math.max(1, Math.min(maxTokens, Math.floor(contextLength / 4)));
}
