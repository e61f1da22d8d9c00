// What a command of the CLI is and what it gets to work with.
import type { ParseArgsConfig } from "node:util";
import { AppError } from "../common/errors.ts";
import type { Engine } from "../engine/engine.ts";

export interface CommandContext {
  /** Folder of the product: media/ and dist/ lie in it. */
  readonly productFolder: string;
  readonly signal: AbortSignal;
  /** The user's engine, connected on first use. */
  readonly engine: Engine;
  print(text: string): void;
  /** True when a person looks at stdout. */
  readonly isTerminal: boolean;
  /** Columns of stdout; Infinity where it is no terminal. */
  readonly width: number;
}

/** A list: an option that may be given several times. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface Command {
  readonly name: string;
  readonly synopsis: string;
  readonly summary: string;
  /** One line each, for --help. */
  readonly details: readonly string[];
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  /** Least and most positional arguments. */
  readonly positionals: readonly [number, number];
  /** Returns the exit code. */
  run(context: CommandContext, positionals: readonly string[], options: OptionValues): Promise<number>;
}

export const exitStatus = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The command line itself is wrong: answered with the command's usage and exit code 2. */
export class UsageError extends AppError {
  constructor(message: string) {
    super("request/invalid", message);
  }
}
