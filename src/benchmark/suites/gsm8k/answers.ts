// What number an answer gives, three ways: the two rules of lm-evaluation-harness, kept with their oddities because
// published numbers come from them, and ours, which compares numbers instead of spellings.

/** null: the rule finds nothing. */
export interface Extraction {
  readonly strict: string | null;
  readonly flexible: string | null;
  readonly numeric: string | null;
}

export type AnswerStyle = "chain-of-thought" | "few-shot";

const strictRules: Record<AnswerStyle, RegExp> = {
  // The last dot stands for any character in the original, too: "The answer is 18" without one more gives 1.
  "chain-of-thought": /The answer is (-?[0-9.,]+)[^\n]/,
  "few-shot": /#### (-?[0-9.,]+)/,
};

export function extract(text: string, style: AnswerStyle): Extraction {
  return {
    strict: strictRules[style].exec(text)?.[1] ?? null,
    flexible: text.match(/-?[$0-9.,]{2,}|-?[0-9]+/g)?.at(-1) ?? null,
    numeric: numericAnswer(text),
  };
}

/** How lm-evaluation-harness compares: as texts, lower-cased, without commas, dollars and a full stop at the end. */
export function isSameText(extracted: string | null, reference: string): boolean {
  return extracted !== null && normalize(extracted) === normalize(reference);
}

/** As decimal numbers: "18.00" is "18". */
export function isSameNumber(extracted: string | null, reference: string): boolean {
  return extracted !== null && extracted === numericAnswer(reference);
}

function normalize(text: string): string {
  return text
    .replace(/[,$]/g, "")
    .replace(/^.*#### /s, "")
    .replace(/\.$/, "")
    .toLowerCase();
}

/** A minus after a number or a bracket subtracts, one inside a word joins; neither is a sign. */
const numbers = /(?<sign>(?<![\d)]\s*|\w)[-\u2212])?[$€£]?(?<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?<fraction>\.\d+)?/g;

/**
 * The last number on the line of the last answer phrase or "####", from there on; without one the last number of all.
 * Written the shortest way, so that equal numbers are equal texts.
 */
function numericAnswer(text: string): string | null {
  const marker = [...text.matchAll(/answer is|####/gi)].at(-1);
  const statement = marker ? text.slice(marker.index + marker[0].length).split("\n", 1)[0] : undefined;
  return lastNumber(statement ?? "") ?? lastNumber(text);
}

function lastNumber(text: string): string | null {
  const groups = [...text.matchAll(numbers)].at(-1)?.groups;
  if (!groups) return null;
  const whole = groups.whole?.replaceAll(",", "").replace(/^0+(?=\d)/, "") ?? "";
  const fraction = groups.fraction?.replace(/\.?0+$/, "") ?? "";
  const amount = whole + fraction;
  return groups.sign && amount !== "0" ? `-${amount}` : amount;
}
