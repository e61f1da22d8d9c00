// What disturbed the measurements of a suite, told once at its end.
import type { Caution, OutputEntry } from "../record/entries.ts";

/** Between the quartiles of the times of equal requests, over their median. A quiet machine stays well below. */
const noisySpread = 0.15;
const leastSamples = 4;

type Sample = Pick<OutputEntry, "subject" | "task" | "totalMs" | "overlaps">;

export class Noise {
  readonly #samples: Sample[] = [];

  add(sample: Sample): void {
    this.#samples.push(sample);
  }

  cautions(title: string): { readonly caution: Caution; readonly subject: string }[] {
    const subjects = [...new Set(this.#samples.map(({ subject }) => subject))];
    return subjects.flatMap((subject) => {
      const samples = this.#samples.filter((sample) => sample.subject === subject);
      return [overlapCaution(title, samples), spreadCaution(title, samples)].flatMap((caution) =>
        caution ? [{ caution, subject }] : [],
      );
    });
  }
}

function overlapCaution(title: string, samples: readonly Sample[]): Caution | null {
  const disturbed = samples.filter(({ overlaps }) => overlaps > 0).length;
  if (disturbed === 0) return null;
  return {
    code: "overlap",
    message: `${title}: ${disturbed} of ${samples.length} generations ran while the engine did something else.`,
    advice: "Pause completions while measuring, or leave these samples out.",
  };
}

function spreadCaution(title: string, samples: readonly Sample[]): Caution | null {
  const tasks = [...new Set(samples.map(({ task }) => task))];
  const worst = Math.max(0, ...tasks.map((task) => spreadOf(samples.filter((sample) => sample.task === task))));
  if (worst <= noisySpread) return null;
  return {
    code: "noisy",
    message: `${title}: equal requests took times that differ by ${Math.round(100 * worst)} % between their quartiles.`,
    advice: "End other programs and run again with more rounds.",
  };
}

function spreadOf(samples: readonly Sample[]): number {
  if (samples.length < leastSamples) return 0;
  const times = samples.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
  const at = (share: number) => times[Math.round(share * (times.length - 1))] ?? 0;
  return (at(0.75) - at(0.25)) / at(0.5);
}
