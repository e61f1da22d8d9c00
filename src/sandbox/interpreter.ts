// The Python interpreter itself, the same in both places: started from a memory snapshot, it runs one program. No line of
// Python is ours: `compile` and `exec` are called from JavaScript, so that no frame, function or variable that decides
// about the verdict lies where the program could reach for it.
import { type Lockfile, loadPyodide, type PyodideAPI, version } from "pyodide";
import createPyodideModule from "pyodide/pyodide.asm.mjs";
import type { VerdictOutcome } from "./sandbox.ts";

export interface InterpreterFiles {
  /** Where pyodide.asm.wasm and python_stdlib.zip are asked for: a folder, or an address that the place answers itself. */
  readonly indexURL: string;
  readonly lockFileContents: string;
  /** The interpreter's memory after its start, of the same version of Pyodide; without it, a start takes seconds. */
  readonly snapshot: Uint8Array;
}

/** What a program ended with, as the interpreter knows it; `timeout` is for those who look at a clock. */
export interface ProgramEnd {
  readonly outcome: Exclude<VerdictOutcome, "timeout">;
  readonly message: string | null;
}

const messageLimit = 500;

/** What the snapshot remembers of its start, and what it must find again when it is loaded. */
const surroundings = () => ({
  createPyodideModule,
  // Python's `js` module shows these instead of the global scope: nothing.
  jsglobals: Object.create(null) as object,
  env: { HOME: "/program", PYTHONINSPECT: "" },
});

/** "Pyodide 314.0.7, CPython 3.14.2" */
export function interpreterName(lockFileContents: string): string {
  return `Pyodide ${version}, CPython ${(JSON.parse(lockFileContents) as Lockfile).info.python}`;
}

/** Takes seconds; the result is as large as the interpreter's memory, 31 MB. */
export async function makeSnapshot(indexURL: string): Promise<Uint8Array> {
  const python = await loadPyodide({ ...surroundings(), indexURL, _makeSnapshot: true });
  return (python as unknown as { makeMemorySnapshot(): Uint8Array }).makeMemorySnapshot();
}

export async function startInterpreter({
  indexURL,
  lockFileContents,
  snapshot,
}: InterpreterFiles): Promise<PyodideAPI> {
  const drop = () => {};
  const python = await loadPyodide({
    ...surroundings(),
    indexURL,
    packageBaseUrl: indexURL,
    lockFileContents,
    _loadSnapshot: snapshot,
    stdin: () => null,
    stdout: drop,
    stderr: drop,
  });
  // Straight past the line buffers, which would keep a flood without line ends in memory.
  python.setStdout({ write: (bytes) => bytes.length });
  python.setStderr({ write: (bytes) => bytes.length });
  return python;
}

type Callable = (...args: unknown[]) => unknown;

/** Runs the source to its end. The interpreter is used up afterwards. */
export function runProgram(python: PyodideAPI, source: string): ProgramEnd {
  const compile = python.runPython("compile") as Callable;
  const execute = python.runPython("exec") as Callable;
  // As HumanEval's own harness does it: `__name__` is not "__main__", what a program does as a script it leaves out here.
  const namespace = (python.runPython("dict") as Callable)();
  let isCompiled = false;
  try {
    const code = compile(source, "program.py", "exec");
    isCompiled = true;
    execute(code, namespace);
    return { outcome: "passed", message: null };
  } catch (thrown) {
    return describeFailure(thrown, isCompiled);
  }
}

function describeFailure(thrown: unknown, isCompiled: boolean): ProgramEnd {
  const [name, message, type] = [textOf(thrown, "name"), textOf(thrown, "message"), textOf(thrown, "type")];
  if (name === "PythonError") {
    const isSyntaxError = !isCompiled && /^(Syntax|Indentation|Tab)Error$/.test(type);
    const outcome = isSyntaxError ? "syntax-error" : type === "MemoryError" ? "memory" : "failed";
    return { outcome, message: shortened(lastLine(message)) };
  }
  // sys.exit and os._exit end the interpreter where they stand.
  if (name === "ExitStatus" || name === "Exit")
    return { outcome: "failed", message: shortened(`left before its end: ${message}`) };
  return { outcome: "crashed", message: shortened(`${name || typeof thrown}: ${lastLine(message)}`) };
}

/** What is thrown may be an object of the program's own: a part counts when it is text, and is read once. */
function textOf(thrown: unknown, part: "name" | "message" | "type"): string {
  try {
    const value = (thrown as Record<string, unknown>)[part];
    return typeof value === "string" ? value : "";
  } catch {
    return "";
  }
}

function lastLine(text: string): string {
  const end = text.trimEnd();
  return end.slice(end.lastIndexOf("\n") + 1).trim();
}

export function shortened(text: string): string {
  return text.length > messageLimit ? `${text.slice(0, messageLimit - 1)}…` : text;
}
