// Raw samples, one per row (RFC 4180).
import type { OutputEntry, RunRecord, ScoreEntry } from "../record/entries.ts";
import { stepKey } from "../record/resume.ts";
import { readTimed } from "./speed.ts";

type Cell = string | number | boolean | null;

interface Row {
  readonly output: OutputEntry;
  readonly score: ScoreEntry | undefined;
}

const columns: Readonly<Record<string, (row: Row, runId: string) => Cell>> = {
  run: (_, runId) => runId,
  at_ms: ({ output }) => output.atMs,
  suite: ({ output }) => output.suite,
  subject: ({ output }) => output.subject,
  task: ({ output }) => output.task,
  repetition: ({ output }) => output.repetition,
  warm_up: ({ output }) => output.isWarmUp,
  overlaps: ({ output }) => output.overlaps,
  stop_reason: ({ output }) => output.stopReason,
  prompt_tokens: ({ output }) => output.promptTokens,
  generated_tokens: ({ output }) => output.generatedTokens,
  ttft_ms: ({ output }) => output.ttftMs,
  total_ms: ({ output }) => output.totalMs,
  first_token_ms: ({ output }) => readTimed.firstTokenMs(output),
  tpot_ms: ({ output }) => readTimed.tpotMs(output),
  e2e_25_ms: ({ output }) => readTimed.e2e25Ms(output),
  e2e_50_ms: ({ output }) => readTimed.e2e50Ms(output),
  e2e_100_ms: ({ output }) => readTimed.e2e100Ms(output),
  prefill_tokens_per_second: ({ output }) => output.prefillTokensPerSecond,
  decode_tokens_per_second: ({ output }) => output.decodeTokensPerSecond,
  active_share: ({ output }) => output.activeShare,
  bytes_per_token: ({ output }) => output.bytesPerToken,
  joules: ({ output }) => output.joules,
  text_sha256: ({ output }) => output.textSha256,
  correct: ({ score }) => score?.score.isCorrect ?? null,
  verdict: ({ score }) => score?.score.verdict ?? null,
};

/** Every generation, warm-ups too. Typing has no rows: its samples are in the record. */
export function renderCsv({ run, entries }: RunRecord): string {
  const scores = new Map(entries.filter((entry) => entry.type === "score").map((entry) => [stepKey(entry), entry]));
  const rows = entries
    .filter((entry) => entry.type === "output")
    .map((output) => ({ output, score: output.isWarmUp ? undefined : scores.get(stepKey(output)) }));
  const lines = rows.map((row) => Object.values(columns).map((cell) => format(cell(row, run.runId))));
  return [Object.keys(columns), ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would take for a formula gets an apostrophe, which spreadsheets do not show. */
function format(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) || text !== cell ? `"${text.replaceAll('"', '""')}"` : text;
}
