/// <reference lib="dom" />
// Pyodide's declarations, and WebAssembly itself, need the browser's types.

// Emscripten's half of Pyodide comes without a declaration.
declare module "pyodide/pyodide.asm.mjs" {
  const createPyodideModule: NonNullable<import("pyodide").PyodideConfig["createPyodideModule"]>;
  export default createPyodideModule;
}
