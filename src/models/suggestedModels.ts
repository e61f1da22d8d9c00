// Code models with fill-in-the-middle that are known to work through llama.cpp, smallest first. Sizes are of 4-bit files.

export interface SuggestedModel {
  readonly name: string;
  readonly sizeGB: number;
  readonly license: string;
  /** What it needs to be pleasant. */
  readonly fits: string;
}

export const suggestedModels: readonly SuggestedModel[] = [
  { name: "Qwen2.5-Coder-0.5B", sizeGB: 0.4, license: "Apache-2.0", fits: "any laptop, CPU only" },
  { name: "Qwen2.5-Coder-1.5B", sizeGB: 1.0, license: "Apache-2.0", fits: "8 cores, or any GPU" },
  { name: "granite-3b-code-base", sizeGB: 2.0, license: "Apache-2.0", fits: "a GPU with 4 GB" },
  { name: "Qwen2.5-Coder-7B", sizeGB: 4.7, license: "Apache-2.0", fits: "a GPU with 8 GB" },
];
