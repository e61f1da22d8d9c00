import type { GenerationRequest } from "../subject.ts";

/** The request with a line of its own before its prompt: nothing that keeps prompts by their beginning knows it. */
export function inFront(request: GenerationRequest, line: string): GenerationRequest {
  const { prompt } = request;
  if (prompt.kind === "text") return { ...request, prompt: { ...prompt, text: line + prompt.text } };
  return { ...request, prompt: { ...prompt, prefix: line + prompt.prefix } };
}
