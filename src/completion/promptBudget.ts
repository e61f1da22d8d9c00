// Steps, not a sliding value: another budget moves the start of the prompt and costs its KV cache.
const budgets = [4096, 2048, 1024] as const;
const smallestBudget = 512;
const patienceSeconds = 1;

/** The longest prompt that is computed from nothing in about a second. */
export function choosePromptTokens(prefillTokensPerSecond: number | null): number {
  if (prefillTokensPerSecond === null) return smallestBudget;
  return budgets.find((budget) => budget <= prefillTokensPerSecond * patienceSeconds) ?? smallestBudget;
}
