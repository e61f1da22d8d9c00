// The eight worked examples of Wei et al. (arXiv:2201.11903), as lm-evaluation-harness holds them in the YAML of its task
// gsm8k_cot. Of YAML this reads what that file uses for them: a list of plain texts folded over lines.
import { AppError } from "../../common/errors.ts";
import type { Exemplar } from "./rows.ts";

const exemplarCount = 8;

export function readExemplars(text: string, source: string): readonly Exemplar[] {
  const list = /^ {2}samples:\n((?: {2}[- ].*\n)+)/m.exec(text)?.[1] ?? "";
  const exemplars = list
    .split(/^ {2}- /m)
    .slice(1)
    .map((entry, index) => {
      const parts = /^question: ([^'"|>].*?)\n {4}target: ([^'"|>].*)$/s.exec(entry.trimEnd());
      const [question, target] = [parts?.[1], parts?.[2]].map((part) => part?.replace(/\s*\n\s+/g, " "));
      if (question && target) return { question, target };
      throw new AppError("dataset/invalid", `${source}: example ${index + 1} is not a "question" and a "target"`);
    });
  if (exemplars.length !== exemplarCount) {
    throw new AppError(
      "dataset/invalid",
      `${source} has ${exemplars.length} examples under "samples", not ${exemplarCount}`,
    );
  }
  return exemplars;
}
