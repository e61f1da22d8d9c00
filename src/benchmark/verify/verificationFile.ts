// What a verification found, left beside the record: verification.json. It says what somebody found, and proves nothing to
// others, who can verify for themselves.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { AppError } from "../../common/errors.ts";
import { sha256OfFile } from "../record/hashes.ts";
import { levelHolds, type Verification, verifyLevels } from "./result.ts";

const fileName = "verification.json";

interface Kept {
  /** Of the record that was looked at. */
  readonly recordSha256: string;
  /** The highest level that holds with all below it; 0: none does. */
  readonly level: number;
  readonly verification: Verification;
}

/** Rejects with `file/unwritable`. */
export async function keepVerification(recordFile: string, verification: Verification): Promise<void> {
  const file = path.join(path.dirname(recordFile), fileName);
  const failed = verification.levels.find((result) => !levelHolds(result));
  const level = failed ? failed.level - 1 : (verification.levels.at(-1)?.level ?? 0);
  try {
    const kept: Kept = { recordSha256: await sha256OfFile(recordFile), level, verification };
    await writeFile(file, `${JSON.stringify(kept, null, 2)}\n`);
  } catch (cause) {
    throw new AppError("file/unwritable", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
}

/** "verified at level 2 on 2026-11-23 ...", or "reported" where nobody has said more of this very record. */
export async function standingOf(recordFile: string): Promise<string> {
  const text = await readFile(path.join(path.dirname(recordFile), fileName), "utf8").catch(() => null); // None yet.
  const kept = text === null ? null : keptOf(text);
  if (!kept || kept.recordSha256 !== (await sha256OfFile(recordFile))) return "reported; nobody has verified it";
  const { level, verification } = kept;
  const { verifiedAt, machine, limit } = verification;
  const where = `on ${verifiedAt.slice(0, 10)}, on ${machine}, says ${fileName}`;
  if (level === 0) return `reported; it did not hold ${where}`;
  return `verified at level ${level}${limit === null ? "" : ` by ${limit} outputs per suite`} ${where}`;
}

/** null: it is no such file. */
function keptOf(text: string): Kept | null {
  try {
    const { recordSha256, level, verification } = JSON.parse(text) as Partial<Kept>;
    const { verifiedAt, machine, limit } = verification ?? {};
    const isWhole = [recordSha256, verifiedAt, machine].every((value) => typeof value === "string");
    const isLevel = level === 0 || verifyLevels.some((each) => each === level);
    const isLimit = limit === null || Number.isSafeInteger(limit);
    return isWhole && isLevel && isLimit ? (JSON.parse(text) as Kept) : null;
  } catch {
    return null;
  }
}
