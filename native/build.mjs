// Builds the native engine into dist/native: the addon and the libraries of llama.cpp it loads. Does nothing when
// nothing changed. Runs on plain Node before anything but `npm install` ran.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fetchLibraries, fetchSource, lock, platformPackages, writeDefFiles } from "./llama.mjs";

const require = createRequire(import.meta.url);
const nativeFolder = fileURLToPath(new URL(".", import.meta.url));
const root = path.dirname(path.resolve(nativeFolder));
const testFolder = path.join(root, "test", "native");
const cudaFolder = path.join(root, "cuda");
const isFromSource = process.env.HOTPATH_LLAMA === "source" || platformPackages().length === 0;
/** One for each kind: the addon of one does not run with the libraries of the other. */
const buildFolder = path.join(root, "build", isFromSource ? "native-source" : "native");
/** Where generators put what they build: Ninja and Make, Visual Studio, and a build of llama.cpp's source. */
const outputFolders = [buildFolder, path.join(buildFolder, "Release"), path.join(buildFolder, "bin")];
const cudaLibraryNames = ["libhotpath-cuda.so", "hotpath-cuda.dll"];
const stampFile = path.join(root, "build", "native.stamp");
const outFolder = path.join(root, "dist", "native");

/** @param {{ log: (line: string) => void }} options */
export async function buildNative({ log }) {
  const stamp = await inputHash();
  if (existsSync(path.join(outFolder, "hotpath.node")) && (await readStamp()) === stamp) return;
  const started = Date.now();
  if (isFromSource) log("Building llama.cpp from source, this takes minutes");
  const llama = isFromSource ? await sourceLlama(log) : await prebuiltLlama(platformPackages(), log);
  log(`Compiling the native engine against llama.cpp ${lock.release}`);
  await compile(llama.options);
  await assemble(llama.libraryFolders, llama.license);
  await mkdir(path.dirname(stampFile), { recursive: true });
  await writeFile(stampFile, stamp);
  log(`Native engine built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

export const benchProgram = () => program("hotpath-bench");
export const sparseBenchProgram = () => program("hotpath-sparse-bench");
export const synthProgram = () => program("hotpath-synth");
export const testProgram = () => program("hotpath-tests");

function program(name) {
  return path.join(programFolder(), process.platform === "win32" ? `${name}.exe` : name);
}

async function prebuiltLlama(packages, log) {
  const headers = await fetchSource("headers", log);
  const folders = [];
  for (const name of packages) folders.push(await fetchLibraries(name, log));
  const options = {
    HOTPATH_LLAMA: "prebuilt",
    HOTPATH_LLAMA_SOURCE_DIR: headers,
    HOTPATH_LLAMA_BINARY_DIR: folders[0],
    HOTPATH_LLAMA_GPU_DIR: folders[1] ?? "",
    HOTPATH_LLAMA_RELEASE: lock.release,
  };
  if (process.platform === "win32") {
    options.HOTPATH_LLAMA_DEF_DIR = path.join(buildFolder, "def");
    await writeDefFiles(folders[0], options.HOTPATH_LLAMA_DEF_DIR);
  }
  return { options, libraryFolders: folders, license: path.join(headers, "LICENSE") };
}

async function sourceLlama(log) {
  const source = await fetchSource("source", log);
  return {
    options: { HOTPATH_LLAMA: "source", HOTPATH_LLAMA_SOURCE_DIR: source, HOTPATH_LLAMA_RELEASE: lock.release },
    libraryFolders: [path.join(buildFolder, "bin")],
    license: path.join(source, "LICENSE"),
  };
}

async function compile(llamaOptions) {
  const { HOTPATH_CUDA_ARCHITECTURES } = process.env;
  const options = { ...llamaOptions, ...(HOTPATH_CUDA_ARCHITECTURES && { HOTPATH_CUDA_ARCHITECTURES }) };
  const definitions = Object.entries(options).map(([name, value]) => `--CD${name}=${value}`);
  const cmakeJs = require.resolve("cmake-js/bin/cmake-js");
  // Configured each time: a build alone would keep the definitions of the first.
  for (const step of ["configure", "build"]) {
    const args = [
      cmakeJs,
      step,
      "-d",
      nativeFolder,
      "-O",
      buildFolder,
      "--parallel",
      String(os.availableParallelism()),
    ];
    let printed = "";
    const collect = (text) => {
      printed += text;
    };
    await execute(process.execPath, [...args, ...definitions], collect).catch((error) => {
      const needs = "a C++20 compiler and CMake 3.20 are needed";
      throw new Error(`Building the native engine failed (${needs}): ${error.message}\n${printed}`);
    });
  }
}

/** dist/native anew: the addon, every library that llama.cpp's loader may want beside it, and their licence. */
async function assemble(libraryFolders, license) {
  await mkdir(path.dirname(outFolder), { recursive: true });
  const temp = await mkdtemp(`${outFolder}.`);
  await chmod(temp, 0o755); // Others than its owner may run an installed Hotpath.
  const addon = outputFolders.map((folder) => path.join(folder, "hotpath.node"));
  await copyFile(addon.find(existsSync) ?? addon[0], path.join(temp, "hotpath.node"));
  await copyFile(license, path.join(temp, "LICENSE.llama.cpp"));
  const extras = [cudaLibraryNames, ["hotpath-confine"]]; // Where a CUDA compiler was found; on Linux.
  for (const names of extras) {
    const file = outputFolders.flatMap((folder) => names.map((name) => path.join(folder, name))).find(existsSync);
    if (file) await copyFile(file, path.join(temp, path.basename(file)));
  }
  for (const [i, folder] of libraryFolders.entries()) {
    if (i > 0) await requireSameBase(libraryFolders[0], folder);
    for (const file of await readdir(folder)) {
      const wanted = i === 0 ? isRuntimeLibrary(file) : /^(lib)?ggml-(vulkan|cuda|metal)\.(so|dll)$/.test(file);
      if (wanted) await copyFile(path.join(folder, file), path.join(temp, file));
    }
  }
  await rm(outFolder, { recursive: true, force: true });
  await rename(temp, outFolder);
}

function isRuntimeLibrary(file) {
  return /^(lib)?(ggml|llama)[-.].*(so|dylib|dll)$/.test(file) && !/llama-(common|addon)/.test(file);
}

/** A backend of one package works beside the libraries of another only when both were linked to the same base. */
async function requireSameBase(folder, other) {
  const base = (await readdir(folder)).find((file) => /ggml-base\.(so|dylib|dll)$/.test(file));
  const [ours, theirs] = await Promise.all([folder, other].map((each) => readFile(path.join(each, base ?? ""))));
  if (!ours.equals(theirs)) throw new Error(`${base} differs between ${folder} and ${other}: they cannot be mixed`);
}

function programFolder() {
  return (
    outputFolders.find((folder) =>
      ["hotpath-tests", "hotpath-tests.exe"].some((file) => existsSync(path.join(folder, file))),
    ) ?? buildFolder
  );
}

/** Everything the result depends on. */
async function inputHash() {
  const hash = createHash("sha256");
  const { CXX = "", CXXFLAGS = "", HOTPATH_LLAMA = "", HOTPATH_CUDA_ARCHITECTURES = "" } = process.env;
  hash.update([process.platform, process.arch, CXX, CXXFLAGS, HOTPATH_LLAMA, HOTPATH_CUDA_ARCHITECTURES].join(" "));
  for (const folder of [nativeFolder, cudaFolder, testFolder]) {
    for (const file of await filesUnder(folder)) {
      hash.update(path.relative(root, file));
      hash.update(await readFile(file));
    }
  }
  return hash.digest("hex");
}

async function filesUnder(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function readStamp() {
  return readFile(stampFile, "utf8").catch(() => "");
}

function execute(file, args, onText) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.setEncoding("utf8").on("data", onText);
    child.stderr.setEncoding("utf8").on("data", onText);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(undefined);
      else reject(new Error(`${path.basename(file)} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildNative({ log: console.log });
