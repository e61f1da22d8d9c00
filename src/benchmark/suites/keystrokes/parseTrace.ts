import { AppError } from "../../../common/errors.ts";
import { applyChanges, longestTraceMs, type Trace, type TraceEvent, traceVersion } from "./trace.ts";

/** Throws `dataset/invalid`; `source` names the file in its message. */
export function parseTrace(json: string, source: string): Trace {
  const check = new Checker(source);
  const value = check.object(parseJson(json, check), "the file");
  if (value.version !== traceVersion) {
    throw check.invalid(`version is ${JSON.stringify(value.version)}; this Hotpath reads version ${traceVersion}`);
  }
  const recorded = check.object(value.recorded, "recorded");
  const indentation = check.object(value.indentation, "indentation");
  const trace: Trace = {
    recorded: {
      by: check.oneOf(recorded.by, "recorded.by", ["person", "program"]),
      how: check.text(recorded.how, "recorded.how"),
      on: check.text(recorded.on, "recorded.on", /^\d{4}-\d\d-\d\d$/),
    },
    languageId: check.text(value.languageId, "languageId", /^\S{1,100}$/),
    indentation: {
      tabSize: check.whole(indentation.tabSize, "indentation.tabSize", 1, 100),
      insertSpaces: check.oneOf(indentation.insertSpaces, "indentation.insertSpaces", [true, false]),
    },
    initialText: check.text(value.initialText, "initialText"),
    events: check.array(value.events, "events").map((event, index) => parseEvent(event, `events[${index}]`, check)),
  };
  checkCourse(trace, check);
  return trace;
}

function parseJson(json: string, check: Checker): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw check.invalid(`not JSON: ${(error as Error).message}`);
  }
}

function parseEvent(value: unknown, where: string, check: Checker): TraceEvent {
  const event = check.object(value, where);
  return {
    atMs: check.number(event.atMs, `${where}.atMs`, 0, longestTraceMs),
    reason: check.oneOf(event.reason, `${where}.reason`, ["undo", "redo", null]),
    changes: check.array(event.changes, `${where}.changes`).map((each, index) => {
      const at = `${where}.changes[${index}]`;
      const change = check.object(each, at);
      return {
        offset: check.whole(change.offset, `${at}.offset`),
        removed: check.whole(change.removed, `${at}.removed`),
        text: check.text(change.text, `${at}.text`),
      };
    }),
    cursor: check.whole(event.cursor, `${where}.cursor`),
  };
}

/** Plays the recording through: each event has to fit the text that the ones before it left. */
function checkCourse({ initialText, events }: Trace, check: Checker): void {
  if (events.length === 0) throw check.invalid("events is empty; nothing was typed");
  let text = initialText;
  let atMs = 0;
  events.forEach((event, index) => {
    const where = `events[${index}]`;
    if (event.atMs < atMs) throw check.invalid(`${where} is at ${event.atMs} ms, before the one at ${atMs} ms`);
    atMs = event.atMs;
    let end = text.length;
    for (const { offset, removed } of event.changes) {
      if (offset + removed > end) {
        throw check.invalid(`${where} changes ${offset} to ${offset + removed}, where only ${end} characters are left`);
      }
      end = offset;
    }
    text = applyChanges(text, event.changes);
    if (event.cursor > text.length) {
      throw check.invalid(`${where} has its cursor at ${event.cursor} in a text of ${text.length} characters`);
    }
  });
}

/** Reads fields of values nobody has vouched for. */
class Checker {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  invalid(what: string): AppError {
    return new AppError("dataset/invalid", `${this.#source}: ${what}`);
  }

  object(value: unknown, name: string): Readonly<Record<string, unknown>> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.#wrong(value, name, "an object");
  }

  array(value: unknown, name: string): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#wrong(value, name, "a list");
  }

  text(value: unknown, name: string, pattern = /^/): string {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw this.#wrong(value, name, pattern.source === "^" ? "a text" : `a text like ${pattern.source}`);
  }

  number(value: unknown, name: string, least: number, most: number): number {
    if (typeof value === "number" && value >= least && value <= most) return value;
    throw this.#wrong(value, name, `a number from ${least} to ${most}`);
  }

  whole(value: unknown, name: string, least = 0, most = 2 ** 31): number {
    if (Number.isInteger(value)) return this.number(value, name, least, most);
    throw this.#wrong(value, name, "a whole number");
  }

  oneOf<const T extends string | boolean | null>(value: unknown, name: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.#wrong(value, name, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
  }

  #wrong(value: unknown, name: string, expected: string): AppError {
    const actual = JSON.stringify(value) ?? "missing";
    const shown = actual.length > 60 ? `${actual.slice(0, 60)}…` : actual;
    return this.invalid(`${name} is ${shown}, not ${expected}`);
  }
}
