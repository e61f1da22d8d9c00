// Reads what a confined child sends. Its sender may be the program itself, which could have taken the child over: only
// what has exactly the expected shape counts.
import type { ChildMessage, ChildProbes } from "./child/messages.ts";

/** The message in the line, or null when the child would never send this. */
export function parseChildLine(line: string): ChildMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const message = asObject(value);
  switch (message?.type) {
    case "probed": {
      const probes = asProbes(message.probes);
      return probes && isText(message.interpreter)
        ? { type: "probed", interpreter: message.interpreter, probes }
        : null;
    }
    case "ready":
      return { type: "ready" };
    case "unable":
      return isText(message.reason) ? { type: "unable", reason: message.reason } : null;
    case "ended":
      return asEnded(message);
    default:
      return null;
  }
}

const outcomes = ["passed", "failed", "syntax-error", "memory", "crashed"] as const;

function asEnded({ nonce, outcome, message }: Record<string, unknown>): ChildMessage | null {
  const known = outcomes.find((each) => each === outcome);
  if (!known || typeof nonce !== "string") return null;
  if (known === "passed") return message === null ? { type: "ended", nonce, outcome: known, message } : null;
  return isText(message) ? { type: "ended", nonce, outcome: known, message } : null;
}

function asProbes(value: unknown): ChildProbes | null {
  const probes = asObject(value);
  if (!probes) return null;
  const { node, pid, environmentVariables } = probes;
  if (!isText(node) || typeof pid !== "number" || typeof environmentVariables !== "number") return null;
  const refusal = (name: keyof ChildProbes): string | null => (isText(probes[name]) ? probes[name] : null);
  return {
    node,
    pid,
    environmentVariables,
    openUnlistedFile: refusal("openUnlistedFile"),
    openUnpermittedFile: refusal("openUnpermittedFile"),
    openSocket: refusal("openSocket"),
    signalItself: refusal("signalItself"),
    codeFromString: refusal("codeFromString"),
    tooMuchMemory: refusal("tooMuchMemory"),
  };
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 1_000;
}
