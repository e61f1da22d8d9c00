// Programs that reach through Pyodide for JavaScript's own objects, to change what the place says about them. Each fails
// in the end: one that passes, or fails with another message, has changed something.

import { takesAllRows } from "../support/publicData.ts";

export const forgeryMessage = "AssertionError: as it should";

/** Finds the constructors by way of an array that it makes; `attempt` goes on where something is refused. */
const prelude = `
from pyodide.ffi import create_proxy, jsnull, to_js
import pyodide_js
Array = to_js([]).constructor
Object = Array.prototype.__lookupGetter__("__proto__").call(Array.prototype).constructor
Function = Array.constructor
def attempt(act, *rest):
    try: act(*rest)
    except BaseException: pass
def put(target, name, function):
    own = create_proxy(function).captureThis()
    attempt(setattr, target, name, own)
    attempt(Object.defineProperty, target, name, to_js({"value": own}, dict_converter=Object.fromEntries))
def forge(this, *rest):
    for name in ("this", *range(len(rest))):
        each = this if name == "this" else rest[name]
        if hasattr(each, "nonce"): attempt(setattr, each, "message", "nonce " + str(each.nonce))
        if hasattr(each, "outcome"):
            attempt(setattr, each, "outcome", "passed")
            attempt(setattr, each, "message", jsnull)
    return this
`;

const attacks: Readonly<Record<string, string>> = {
  "turns objects into other JSON": 'put(Object.prototype, "toJSON", forge)',
  "gives every object a verdict": `
for name, value in (("outcome", "passed"), ("message", jsnull), ("type", "ended"), ("id", 1), ("nonce", "x")):
    attempt(Object.prototype.__defineGetter__, name, create_proxy(lambda value=value: value))
    attempt(Object.prototype.__defineSetter__, name, create_proxy(lambda new: None))`,
  "makes every object thenable": 'put(Object.prototype, "then", forge)',
  "replaces what copies and describes objects": `
for name in ("assign", "create", "defineProperty", "entries", "keys", "freeze"): put(Object, name, forge)`,
  "replaces the methods of arrays": `
for name in ("push", "join", "map", "slice", "shift", "toJSON"): put(Array.prototype, name, forge)`,
  "replaces the methods of text": `
text = Object("x").constructor.prototype
for name in ("slice", "trimEnd", "lastIndexOf", "split", "toString", "toJSON"): put(text, name, lambda this, *rest: "passed")`,
  "replaces calls themselves": `
for name in ("call", "apply", "bind"): put(Function.prototype, name, forge)`,
  "replaces how objects become text": `
text = Object("x").constructor
for target in (Object.prototype, text.prototype, Object(1).constructor.prototype):
    for name in ("toString", "valueOf"): put(target, name, lambda this, *rest: "passed")`,
  "replaces the methods of bytes": `
bytes_ = to_js(b"x").constructor
for target in (bytes_, bytes_.prototype, Object.getPrototypeOf(bytes_), Object.getPrototypeOf(bytes_.prototype)):
    for name in ("from", "of", "set", "subarray", "slice", "toJSON"): put(target, name, forge)`,
  "replaces the constructors of errors": `
try: Array.prototype.nothing()
except BaseException: pass
try: Object.defineProperty(1)
except BaseException as error:
    thrown = getattr(error, "js_error", error)
    constructor = thrown.constructor
    attempt(setattr, constructor, "prepareStackTrace", create_proxy(forge).captureThis())
    for name in ("name", "message", "stack", "toString", "toJSON"): put(constructor.prototype, name, forge)
    for name in ("name", "message"): put(Object.getPrototypeOf(constructor.prototype), name, forge)`,
  "replaces the writers of what it prints": `
for name in ("setStdout", "setStderr"):
    options = to_js({"write": create_proxy(forge).captureThis()}, dict_converter=Object.fromEntries)
    attempt(getattr(pyodide_js, name), options)`,
  "replaces what a call into Python comes back with": `
for part in (pyodide_js._api, pyodide_js._module):
    for name in ("error", "callPyObject", "callPyObjectMaybePromising", "_pythonexc2js", "maybe_fatal_error", "fatal_error"):
        attempt(setattr, part, name, create_proxy(lambda *rest, **named: None))`,
  "replaces the interface that runs it": `
for name in ("runPython", "runPythonAsync", "globals", "ffi"): put(pyodide_js, name, forge)`,
};

const program = (attack: string) => `${prelude}${attack}\nassert False, "as it should"`;

const names = Object.keys(attacks);
/** Those that once worked, alone; HOTPATH_TEST_FULL=1: each of them. */
const alone = names.filter((name) => takesAllRows || /JSON|comes back/.test(name));
/** The others, so many in one program that it stays within its time on a busy machine. */
const together = names.filter((name) => !alone.includes(name));
const parts = [together.slice(0, 4), together.slice(4, 8), together.slice(8)].filter((part) => part.length > 0);

export const forgeries: readonly (readonly [string, string])[] = [...alone.map((name) => [name]), ...parts].map(
  (part) => [part.join(", "), program(part.map((name) => attacks[name]).join("\n"))] as const,
);

/** Writes straight to where the child's messages go, without the nonce. */
export const printedVerdict = program(`
attempt(pyodide_js.setStdout)
print('{"type":"ended","nonce":"","outcome":"passed","message":null}', flush=True)`);
