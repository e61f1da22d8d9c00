// `hotpath`: the same engine and pipeline as in the editor, from a terminal.
import path from "node:path";
import { parseArgs } from "node:util";
import { plain } from "../benchmark/report/text.ts";
import { isCancelled, toAppError } from "../common/errors.ts";
import { silentLogger } from "../common/logger.ts";
import { productVersion } from "../common/productVersion.ts";
import { wrap } from "../common/wrap.ts";
import { createLocalEngine } from "../engine/localEngine.ts";
import { benchCommand } from "./bench.ts";
import { type Command, type CommandContext, exitStatus, type OptionValues, UsageError } from "./command.ts";
import { completeCommand } from "./complete.ts";
import { demoCommand } from "./demo.ts";
import { doctorCommand } from "./doctor.ts";
import { inspectCommand } from "./inspect.ts";
import { modelsCommand } from "./models.ts";
import { planCommand } from "./plan.ts";
import { prepareCommand } from "./prepare.ts";
import { profileCommand } from "./profile.ts";
import { terminalWidth } from "./progressLine.ts";
import { reportCommand } from "./report.ts";
import { synthCommand } from "./synth.ts";
import { verifyCommand } from "./verify.ts";

const commands: readonly Command[] = [
  completeCommand,
  demoCommand,
  benchCommand,
  reportCommand,
  verifyCommand,
  modelsCommand,
  inspectCommand,
  profileCommand,
  planCommand,
  doctorCommand,
  prepareCommand,
  synthCommand,
];

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--version") return say(productVersion);
  if (name === undefined || name === "--help" || name === "help") return say(overview());
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) return refuse(`there is no command "${name}"`, overview());
  if (rest.includes("--help")) return say(help(command));
  let positionals: string[];
  let values: OptionValues;
  try {
    ({ positionals, values } = parseArgs({ args: rest, options: command.options, allowPositionals: true }) as {
      positionals: string[];
      values: OptionValues;
    });
  } catch (error) {
    return refuse((error as Error).message, hint(command));
  }
  // An unset variable of a shell, which would stand for the folder that one is in.
  if (positionals.includes("")) return refuse("an argument is empty", hint(command));
  const [empty] = Object.entries(values).find(([, value]) => [value].flat().includes("")) ?? [];
  if (empty !== undefined) return refuse(`--${empty} has an empty value`, hint(command));
  const [least, most] = command.positionals;
  if (positionals.length < least || positionals.length > most)
    return refuse("wrong number of arguments", hint(command));
  return run(command, positionals, values);
}

async function run(command: Command, positionals: readonly string[], values: OptionValues): Promise<number> {
  const engine = createLocalEngine({
    engineScript: path.join(__dirname, "engineHost.js"),
    client: `cli ${process.pid}`,
    logger: silentLogger,
    preferences: { idleUnloadMinutes: 10 },
  });
  const context: CommandContext = {
    productFolder: path.dirname(__dirname),
    signal: interruption(),
    engine,
    print: (text) => process.stdout.write(`${text}\n`),
    isTerminal: process.stdout.isTTY === true,
    width: process.stdout.isTTY ? terminalWidth(process.stdout) : Number.POSITIVE_INFINITY,
  };
  try {
    return await command.run(context, positionals, values);
  } catch (error) {
    const isJson = values.json === true;
    return error instanceof UsageError && !isJson ? refuse(error.message, hint(command)) : report(error, isJson);
  } finally {
    engine.dispose();
  }
}

/** Fires when the process is asked to end, and lets the command end in its own way; asked again, it ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const interrupt = () => {
    for (const signal of signals) process.off(signal, interrupt);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, interrupt);
  return controller.signal;
}

function report(thrown: unknown, isJson: boolean): number {
  if (isCancelled(thrown)) return exitStatus.interrupted;
  const { code, message, details, stack } = toAppError(thrown);
  if (isJson) process.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  else process.stderr.write(`hotpath: ${code}: ${safeLines(code === "internal/bug" ? (stack ?? message) : message)}\n`);
  return thrown instanceof UsageError ? exitStatus.usage : exitStatus.failed;
}

/** Messages quote records, plans and servers, which may be anybody's. */
function safeLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

function overview(): string {
  const indent = "  hotpath   ".length + Math.max(...commands.map(({ name }) => name.length));
  return [
    `Hotpath ${productVersion}: code completion from a model on your own machine.`,
    "",
    ...commands.map(({ name, summary }) =>
      wrap(`${`  hotpath ${name}`.padEnd(indent)}${summary}`, helpWidth(), indent),
    ),
    "",
    wrap(
      "hotpath COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
      helpWidth(),
      0,
    ),
  ].join("\n");
}

function help(command: Command): string {
  const { summary, details } = command;
  return [
    usage(command),
    "",
    wrap(summary, helpWidth(), 0),
    ...(details.length > 0 ? ["", ...details.map(detail)] : []),
  ].join("\n");
}

function usage({ synopsis }: Command): string {
  // An option and its value stay together.
  const line = `Usage: hotpath ${synopsis}`.replace(/\[[^\]]*\]/g, (option) => option.replaceAll(" ", "\u00a0"));
  return wrap(line, helpWidth(), "Usage: hotpath ".length).replaceAll("\u00a0", " ");
}

/** Short, so that what was wrong stays in sight. */
function hint(command: Command): string {
  return `${usage(command)}\nhotpath ${command.name} --help tells more.`;
}

/** What an option means stays in its column. */
function detail(line: string): string {
  const column = /^\S.*? {2,}/.exec(line)?.[0].length ?? 0;
  return wrap(`  ${line}`, helpWidth(), 2 + column);
}

/** Longer lines are hard to read. */
function helpWidth(): number {
  return Math.min(100, terminalWidth(process.stdout));
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return exitStatus.ok;
}

function refuse(problem: string, advice: string): number {
  process.stderr.write(`hotpath: ${problem}\n\n${advice}\n`);
  return exitStatus.usage;
}

// A pipe whose reader has seen enough, such as `head`, and a terminal that was closed change nothing about what a command
// does and finds. What was to be kept in a file and could not be, does.
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code === "EPIPE" || process.stdout.isTTY || process.exitCode === exitStatus.failed) return;
  process.exitCode = exitStatus.failed;
  process.stderr.write(`hotpath: file/unwritable: what was printed could not be written: ${message}\n`);
});
process.stderr.on("error", () => {}); // There is nobody left to tell.

void main(process.argv.slice(2)).then((code) => {
  process.exitCode ??= code;
});
