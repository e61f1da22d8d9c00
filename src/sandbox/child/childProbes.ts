// What a confined child tells about itself before any Python runs in it.
import { isText } from "../place.ts";

/** Error code or name of each attempt; null: it succeeded. */
export interface ChildProbes {
  readonly node: string;
  /** Number 1, as only the first in a namespace of its own is. */
  readonly isFirstProcess: boolean;
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

/** What is not there counts as an attempt that succeeded. */
export function parseChildProbes(probes: Record<string, unknown>): ChildProbes | null {
  const { node, isFirstProcess, environmentVariables } = probes;
  if (!isText(node) || typeof environmentVariables !== "number") return null;
  const refusal = (name: keyof ChildProbes): string | null => {
    const value = probes[name];
    return isText(value) ? value : null;
  };
  return {
    node,
    isFirstProcess: isFirstProcess === true,
    environmentVariables,
    openUnlistedFile: refusal("openUnlistedFile"),
    openUnpermittedFile: refusal("openUnpermittedFile"),
    openSocket: refusal("openSocket"),
    signalItself: refusal("signalItself"),
    codeFromString: refusal("codeFromString"),
    tooMuchMemory: refusal("tooMuchMemory"),
  };
}
