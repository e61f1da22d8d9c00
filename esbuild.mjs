// Builds everything from a fresh clone: npm packages, the native addon, the bundles; each only when its inputs changed.
//   node esbuild.mjs            build
//   node esbuild.mjs package    build, then make the .vsix of this platform
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(fileURLToPath(import.meta.url));
const leastNode = [20, 17];

/** @param {(line: string) => void} log */
export async function build(log = console.log) {
  checkNode();
  installPackages(log);
  const { buildNative } = await import("./native/build.mjs");
  await buildNative({ log });
  await bundle();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return;
  throw new Error(`Hotpath needs Node ${leastNode.join(".")} or newer to build; this is ${process.versions.node}.`);
}

/** npm writes its own copy of the lock file last, so a newer lock file means an outdated or broken install. */
function installPackages(log) {
  const installed = path.join(root, "node_modules", ".package-lock.json");
  const wanted = path.join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  log("Installing npm packages (once, under a minute) ...");
  // No install scripts: none of the packages needs one, and some would download things.
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
}

export async function bundle() {
  const esbuild = await import("esbuild");
  const shared = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    outdir: "dist",
    sourcemap: "linked",
    sourcesContent: false,
    metafile: true,
    logLevel: "warning",
    define: { PRODUCT_VERSION: JSON.stringify(productVersion()) },
    plugins: [drawnApart],
  };
  const forEditor = await esbuild.build({
    ...shared,
    entryPoints: { extension: "src/extension.ts", engineHost: "src/engineHost/main.ts" },
    external: ["vscode"],
  });
  const forReports = await esbuild.build({
    ...shared,
    entryPoints: { drawn: "src/benchmark/report/drawn.ts" },
    minify: true,
  });
  const banner = { js: "#!/usr/bin/env node" };
  const forTerminal = await esbuild.build({ ...shared, entryPoints: { cli: "src/cli/main.ts" }, banner });
  const sandbox = await bundleSandbox(esbuild, shared);
  const forPanel = await esbuild.build({
    ...shared,
    platform: "browser",
    target: "chrome128", // Of VS Code 1.100.
    format: "iife",
    minify: true,
    outdir: "dist/panel",
    entryPoints: { main: "src/panel/page/main.ts", style: "src/panel/page/style.css" },
  });
  writeNotices([forEditor, forTerminal, forReports, forPanel, ...sandbox].map(({ metafile }) => metafile));
}

/** Charts are four times as large as all the rest of a program that hardly ever draws one: it loads them from beside it. */
const drawnApart = {
  name: "drawn apart",
  setup(build) {
    build.onResolve({ filter: /\/drawn\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./drawn.js", external: true } : undefined,
    );
  },
};

/** Where code from a model runs: the confined child, the worker of the panel, and Python for both of them. */
async function bundleSandbox(esbuild, shared) {
  // Pyodide's loader asks for Node's modules, and for "ws" to open sockets with, only where it finds itself in Node.
  const options = { ...shared, format: "esm", external: ["node:*", "ws"], sourcemap: false };
  const child = await esbuild.build({
    ...options,
    entryPoints: { sandboxChild: "src/sandbox/child/main.ts" },
    outExtension: { ".js": ".mjs" },
  });
  const worker = await esbuild.build({
    ...options,
    entryPoints: { "panel/sandboxWorker": "src/sandbox/worker/main.ts" },
    platform: "browser",
    target: "es2022",
    minify: true,
  });
  const interpreter = path.join(root, "build", "interpreter.mjs");
  await esbuild.build({
    ...options,
    entryPoints: ["src/sandbox/interpreter.ts"],
    outdir: undefined,
    outfile: interpreter,
  });
  await preparePython(interpreter);
  return [child, worker];
}

/** Pyodide's files as they are, and the memory of an interpreter that has just started. */
async function preparePython(interpreter) {
  const from = path.join(root, "node_modules", "pyodide");
  const to = path.join(root, "dist", "pyodide");
  const snapshot = path.join(to, "snapshot.bin");
  const stamp = path.join(root, "build", "snapshot.stamp");
  const wanted = createHash("sha256").update(readFileSync(interpreter)).digest("hex");
  if (existsSync(snapshot) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(to, { recursive: true });
  for (const file of ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
    copyFileSync(path.join(from, file), path.join(to, file));
  }
  const { makeSnapshot } = await import(pathToFileURL(interpreter).href);
  writeFileSync(snapshot, await makeSnapshot(to + path.sep));
  writeFileSync(stamp, wanted);
}

/** NVIDIA's terms ask that its runtime goes out inside a larger work, in binary form and under terms no weaker than its own. */
const cudaNotice = `NVIDIA CUDA runtime, linked statically into Hotpath's CUDA kernels (NVIDIA Software License Agreement)

Copyright NVIDIA Corporation. It is no open-source software. It is distributed in binary form as a part of that library and of
Hotpath only, as the agreement's attachment A allows for cudart; what that agreement permits and forbids also holds for whoever
receives it here. The agreement: https://docs.nvidia.com/cuda/eula/`;

/** The licences of everything that ends up in the package: bundled npm packages, the addon's headers, llama.cpp. */
function writeNotices(metafiles) {
  const inputs = metafiles.flatMap((metafile) => Object.keys(metafile.inputs));
  // The innermost folder: a package may bring its own version of another.
  const folders = inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]).filter(Boolean);
  const packages = [...new Set([...folders, "node_modules/node-addon-api"])].sort();
  const seen = new Set();
  const notices = packages.flatMap((place) => {
    const folder = path.join(root, place);
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
    if (seen.has(`${name} ${version}`)) return [];
    seen.add(`${name} ${version}`);
    const entries = readdirSync(folder);
    const own = entries.find((entry) => /^licen[cs]e/i.test(entry));
    const file = own ? path.join(folder, own) : path.join(root, "media", "licenses", `${license}.txt`);
    if (!existsSync(file))
      throw new Error(`${name} ${version} (${license}) brings no licence text; it cannot be shipped.`);
    // The Mozilla licence asks for a word on where the source is, the Apache licence for the file NOTICE where there is one.
    const source = license.startsWith("MPL")
      ? `\nUnmodified; its source is at https://github.com/${name}/${name}.`
      : "";
    const notice = entries.includes("NOTICE") ? [path.join(folder, "NOTICE")] : [];
    const text = [file, ...notice].map((part) => readFileSync(part, "utf8").trim()).join("\n\n");
    return [`${name} ${version} (${license})${source}\n\n${text}`];
  });
  const python = readFileSync(path.join(root, "media", "licenses", "PSF-2.0.txt"), "utf8").trim();
  notices.push(`CPython and its standard library, as built into pyodide (PSF-2.0)\n\n${python}`);
  const llama = readFileSync(path.join(root, "dist", "native", "LICENSE.llama.cpp"), "utf8").trim();
  notices.push(`llama.cpp and ggml, libraries as built by node-llama-cpp (MIT)\n\n${llama}`);
  const hasCuda = readdirSync(path.join(root, "dist", "native")).some((name) => name.includes("hotpath-cuda"));
  if (hasCuda) notices.push(cudaNotice);
  writeFileSync(path.join(root, "dist", "THIRD_PARTY_NOTICES.txt"), `${notices.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}

/** Version and a digest of what was built: an engine process left over from an older build is told apart. */
function productVersion() {
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const digest = createHash("sha256");
  const files = readdirSync(path.join(root, "src"), { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  const paths = files.map((file) => path.join(file.parentPath, file.name)).sort();
  for (const file of [...paths, path.join(root, "dist", "native", "hotpath.node")]) digest.update(readFileSync(file));
  return `${version}+${digest.digest("hex").slice(0, 8)}`;
}

/** Makes the .vsix of this platform and returns its path. */
export function makePackage(log = console.log) {
  const target = `${process.platform === "win32" ? "win32" : process.platform}-${process.arch}`;
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const vsix = path.join(root, "build", `hotpath-${target}-${version}.vsix`);
  rmSync(vsix, { force: true });
  const vsce = path.join(root, "node_modules", "@vscode", "vsce", "vsce");
  run(
    process.execPath,
    [
      vsce,
      "package",
      "--no-dependencies",
      "--allow-missing-repository",
      "--no-rewrite-relative-links",
      "--target",
      target,
      "-o",
      vsix,
    ],
    "pipe",
  );
  log(`${path.relative(root, vsix)}: ${(statSync(vsix).size / 1e6).toFixed(1)} MB`);
  return vsix;
}

function run(command, args, stdout = "inherit") {
  const isWindowsNpm = process.platform === "win32" && command === "npm";
  execFileSync(isWindowsNpm ? "npm.cmd" : command, args, {
    cwd: root,
    stdio: ["ignore", stdout, "inherit"],
    shell: isWindowsNpm,
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build();
    if (process.argv[2] === "package") makePackage();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
