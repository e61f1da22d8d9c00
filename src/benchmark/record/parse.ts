// A record from the text of its file. Pure, so that the panel's page can use it too; who wants to know whether the text
// was changed reads the file with recordFile.ts, which checks the chain.
import { AppError } from "../../common/errors.ts";
import { type RecordEntry, type RunEntry, type RunRecord, recordVersion } from "./entries.ts";
import { shapeProblem } from "./schema.ts";

/** Takes the lines of a record one by one. */
export class RecordParser {
  readonly #entries: RecordEntry[] = [];
  #unreadable: AppError | null = null;

  /** Throws `record/invalid`. False: the line is unreadable, which only the last one may be. */
  add(text: string): boolean {
    // A power failure can leave a last line of zeros; anywhere else an unreadable line is damage.
    if (this.#unreadable) throw this.#unreadable;
    const line = this.#entries.length + 1;
    let entry: unknown;
    try {
      entry = JSON.parse(text);
    } catch (cause) {
      this.#unreadable = new AppError("record/invalid", `line ${line} of the record is not JSON`, { line }, cause);
      return false;
    }
    if (line === 1) checkVersion(entry);
    const problem = shapeProblem(entry);
    if (problem) throw new AppError("record/invalid", `line ${line} of the record: ${problem}`, { line });
    const isRun = (entry as RecordEntry).type === "run";
    if (isRun !== (line === 1))
      throw new AppError("record/invalid", `line ${line} of the record: "run" is the first line and no other`, {
        line,
      });
    this.#entries.push(entry as RecordEntry);
    return true;
  }

  /** `rest`: what follows the last line feed. */
  finish(rest: string): RunRecord {
    const [run] = this.#entries;
    if (!run)
      throw new AppError("record/invalid", "the record has no whole line; the run was cut off before it began", {});
    return { run: run as RunEntry, entries: this.#entries, isTorn: rest !== "" || this.#unreadable !== null };
  }
}

/** Throws `record/invalid` with the number of the line. A torn last line is left out and told by `isTorn`. */
export function parseRecord(text: string): RunRecord {
  const parser = new RecordParser();
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  for (const line of lines) parser.add(line);
  return parser.finish(rest);
}

function checkVersion(entry: unknown): void {
  const version = (entry as { version?: unknown } | null)?.version;
  if (typeof version !== "number" || version <= recordVersion) return;
  throw new AppError(
    "record/invalid",
    `the record is of version ${version}, this Hotpath reads version ${recordVersion}: open it with a newer Hotpath`,
    { version, known: recordVersion },
  );
}
