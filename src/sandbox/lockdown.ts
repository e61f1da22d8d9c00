// Python reaches JavaScript's own objects: the constructor of an array that it makes is that of ours. Nothing that is
// called once a program has begun may have been put there by it, so these objects become unchangeable before.
import type { PyodideAPI } from "pyodide";

/** Globals of the language, with WebAssembly. What a browser or Node adds cannot be reached from them. */
const globalNames = [
  "AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError",
  "FinalizationRegistry Float16Array Float32Array Float64Array Function Int16Array Int32Array Int8Array Intl Iterator",
  "JSON Map Math Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String",
  "SuppressedError Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap",
  "WeakRef WeakSet WebAssembly",
];

const { defineProperties, defineProperty, entries, freeze, getOwnPropertyDescriptors, getPrototypeOf } = Object;

/** Prototypes that no global leads to. */
function namelessPrototypes(): unknown[] {
  const iterators = [[].values(), new Map().values(), new Set().values(), "".matchAll(/./g), ""[Symbol.iterator]()];
  const methods = [function* () {}, async () => {}, async function* () {}];
  return [...iterators, ...methods].map(getPrototypeOf);
}

/** Fixes JavaScript's own objects, and those of Pyodide that decide what a call into Python comes back with. */
export function lockDown(python: PyodideAPI): void {
  const globals = globalThis as unknown as Record<string, unknown>;
  const waiting = globalNames.flatMap((line) => line.split(" ")).map((name) => globals[name]);
  waiting.push(...namelessPrototypes());
  const seen = new Set<unknown>();
  while (waiting.length > 0) {
    const each = waiting.pop();
    if (!isObject(each) || seen.has(each)) continue;
    seen.add(each);
    waiting.push(getPrototypeOf(each));
    for (const key of Reflect.ownKeys(each)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(each, key) ?? {};
      waiting.push(value, get, set);
    }
    fix(each);
  }
  const { _module: emscripten, _api: api } = python as unknown as Record<"_module" | "_api", Record<string, unknown>>;
  lockFunctions(emscripten);
  lockFunctions(api);
}

function fix(each: object): void {
  if (each === Object.prototype || each === Error.prototype) letHide(each as Record<string, unknown>);
  if (each !== Error) {
    freeze(each);
    return;
  }
  // Pyodide sets how long traces are. V8 takes numbers only there, so nobody gains by it.
  Object.preventExtensions(each);
  for (const key of Reflect.ownKeys(each)) {
    if (key !== "stackTraceLimit") defineProperty(each, key, { writable: false, configurable: false });
  }
}

/** Objects made later may still have a `constructor` of their own: assigning it would throw if ours were only frozen. */
function letHide(prototype: Record<string, unknown>): void {
  for (const [name, { value, enumerable = false }] of entries(getOwnPropertyDescriptors(prototype))) {
    if (value === undefined) continue;
    defineProperty(prototype, name, {
      enumerable,
      get: () => value,
      set(this: object, own: unknown) {
        if (this === prototype) throw new TypeError(`${name} cannot be changed`);
        defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}

/** Not all of it: Emscripten puts new views there when memory grows. Thousands of functions, so in one go. */
function lockFunctions(part: Record<string, unknown>): void {
  const lock = { writable: false, configurable: false };
  const locks: PropertyDescriptorMap = {};
  for (const name of Object.keys(part)) {
    // `error` is what a call that raised gives back.
    if (typeof part[name] === "function" || name === "error") locks[name] = lock;
  }
  defineProperties(part, locks);
}

const isObject = (value: unknown): value is object =>
  typeof value === "function" || (typeof value === "object" && value !== null);
