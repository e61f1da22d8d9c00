// What the confined child and its parent say to each other: one JSON object a line. What the child sends may have been
// written by the program it runs, so the parent believes nothing about it.
import type { ProgramEnd } from "../interpreter.ts";

/** The child's first line: what it could do before any Python ran. Error codes; null: it could. */
export interface ChildProbes {
  readonly node: string;
  /** 1 in a namespace of its own. */
  readonly pid: number;
  readonly environmentVariables: number;
  /** Opening a file that the permission flag allows and the helper does not. */
  readonly openUnlistedFile: string | null;
  /** Opening a file that the helper allows and the permission flag does not. */
  readonly openUnpermittedFile: string | null;
  readonly openSocket: string | null;
  readonly signalItself: string | null;
  readonly codeFromString: string | null;
  /** One page of WebAssembly memory more than the limit. */
  readonly tooMuchMemory: string | null;
}

export type ChildMessage =
  | { readonly type: "probed"; readonly interpreter: string; readonly probes: ChildProbes }
  | { readonly type: "ready" }
  | { readonly type: "unable"; readonly reason: string }
  | ({ readonly type: "ended"; readonly nonce: string } & ProgramEnd);

/** The only request. The nonce comes back with the verdict; the program has no way to learn it. */
export interface RunRequest {
  readonly source: string;
  readonly nonce: string;
}
