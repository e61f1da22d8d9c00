import { isFilled, lineBefore } from "../lines.ts";
import { type Step, withText } from "./step.ts";

// Weak models loop. What a person repeats on purpose is short or has no words: "0, 0, 0", "}", rulers in comments.
const hasWord = (text: string) => /\p{L}{2}/u.test(text);

/** Keeps the first round of a loop, within the last line and over lines. */
export const cutLoops: Step = (insertion, { prefix }) => {
  const line = lineBefore(prefix);
  const lines = cutLineLoop((line + cutTailLoop(insertion.text)).split("\n"));
  return withText(insertion, lines.join("\n").slice(line.length));
};

const fewestRounds = 3;
// 0xff_ff_ff_ff is no loop.
const shortestLoop = 16;

function cutTailLoop(text: string): string {
  for (let period = 2; period * fewestRounds <= text.length; period++) {
    const round = text.slice(-period);
    if (!hasWord(round) || !text.endsWith(round.repeat(fewestRounds))) continue;
    let end = text.length;
    while (text.endsWith(round, end - period)) end -= period;
    if (text.length - end + period >= shortestLoop) return text.slice(0, end);
  }
  return text;
}

function cutLineLoop(lines: readonly string[]): readonly string[] {
  for (let start = 0; start < lines.length; start++) {
    for (let period = 1; start + 2 * period <= lines.length; period++) {
      const rounds = period === 1 ? fewestRounds : 2;
      if (loops(lines, start, period, rounds)) return lines.slice(0, start + period);
    }
  }
  return lines;
}

function loops(lines: readonly string[], start: number, period: number, rounds: number): boolean {
  const block = lines.slice(start, start + period);
  if (!hasWord(block.join(""))) return false;
  if (start + rounds * period > lines.length) return false;
  return lines.slice(start, start + rounds * period).every((line, index) => line === block[index % period]);
}

/** Drops a text that is the line above once more, or the lines above. */
export const dropRepeatedAbove: Step = (insertion, { prefix }) => {
  // A text that begins with a line end leaves the cursor's line as it is: that line is above, too.
  const seam = /^[ \t]*\n/.test(insertion.text) ? prefix.length : prefix.length - lineBefore(prefix).length;
  const above = prefix.slice(0, seam).split("\n").filter(isFilled);
  const lines = (prefix.slice(seam) + insertion.text).split("\n").filter(isFilled);
  for (let count = 1; count <= Math.min(lines.length, above.length); count++) {
    const block = lines.slice(0, count);
    const isRepeated = block.every((line, index) => line.trimEnd() === above.at(index - count)?.trimEnd());
    if (isRepeated && hasWord(block.join(""))) return { dropped: "repeats-above" };
  }
  return insertion;
};
