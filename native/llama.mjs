// Brings the pinned release of llama.cpp here: libraries and source from the packages of node-llama-cpp. They are fetched
// by `npm pack` (so the user's registry and proxy settings apply) and not installed, because as dependencies they would
// drag in every platform's libraries, 670 MB.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const windows = process.platform === "win32";

export const lock = JSON.parse(await readFile(new URL("llama.lock.json", import.meta.url), "utf8"));

/** Packages of libraries for this machine: the first has the CPU's, the others add to it. Empty: build from source. */
export function platformPackages(platform = process.platform, arch = process.arch) {
  const table = {
    "linux-x64": ["linux-x64", "linux-x64-vulkan"],
    "linux-arm64": ["linux-arm64"],
    "win32-x64": ["win-x64", "win-x64-vulkan"],
    "win32-arm64": ["win-arm64"],
    "darwin-arm64": ["mac-arm64-metal"],
    "darwin-x64": ["mac-x64"],
  };
  return table[`${platform}-${arch}`] ?? [];
}

export function cacheFolder(env = process.env) {
  if (env.HOTPATH_CACHE) return path.resolve(env.HOTPATH_CACHE);
  if (windows) return path.join(env.LOCALAPPDATA ?? path.join(os.homedir(), "AppData", "Local"), "hotpath");
  if (process.platform === "darwin") return path.join(os.homedir(), "Library", "Caches", "hotpath");
  return path.join(env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "hotpath");
}

/** Folder with the libraries of one platform package, fetched if it is not there yet. */
export async function fetchLibraries(platform, log) {
  const integrity = lock.platforms[platform];
  if (!integrity) throw new Error(`${platform}: not in native/llama.lock.json`);
  const folder = await fetchPackage(`@node-llama-cpp/${platform}`, integrity, [`package/bins`, "package/LICENSE"], log);
  return path.join(folder, "package", "bins", platform);
}

/** A device of our own needs the interface of a backend too, which ggml does not install. */
const headerPaths = ["include", "ggml/include", "ggml/src/ggml-backend-impl.h", "LICENSE"];

/** Folder with the source of llama.cpp: its headers, or all of it. */
export async function fetchSource(part, log) {
  const { name, integrity } = lock.bundle;
  const folder = await fetchPackage(
    name,
    integrity,
    ["package/llama/gitRelease.bundle", "package/llama/llama.cpp.info.json"],
    log,
  );
  const llama = path.join(folder, "package", "llama");
  const { tag } = JSON.parse(await readFile(path.join(llama, "llama.cpp.info.json"), "utf8"));
  if (tag !== lock.release)
    throw new Error(`${name}@${lock.version} holds llama.cpp ${tag}, the lock says ${lock.release}`);
  const contents =
    part === "headers" ? createHash("sha256").update(headerPaths.join()).digest("hex").slice(0, 8) : "all";
  return inPlace(path.join(cacheFolder(), `llama.cpp-${tag}-${part}-${contents}`), async (temp) => {
    log(`llama.cpp ${tag}: unpacking its ${part}`);
    const clone = ["clone", "--quiet", ...(part === "headers" ? ["--no-checkout"] : [])];
    await command("git", [...clone, path.join(llama, "gitRelease.bundle"), temp]);
    if (part === "headers") {
      await command("git", ["-C", temp, "checkout", "--quiet", "HEAD", "--", ...headerPaths]);
    }
    await rm(path.join(temp, ".git"), { recursive: true, force: true });
  });
}

async function fetchPackage(name, integrity, members, log) {
  const folderName = `${name.replace("@", "").replace("/", "-")}-${lock.version}`;
  return inPlace(path.join(cacheFolder(), folderName), async (temp) => {
    log(`${name}@${lock.version}: fetching`);
    const archive = await pack(`${name}@${lock.version}`, temp);
    await checkIntegrity(archive, integrity, name);
    await command("tar", ["-xzf", archive, "-C", temp, ...members]);
    await rm(archive);
  });
}

/**
 * Fills a temporary folder and renames it to its place, which therefore is whole or not there. Of two that do so at the
 * same time the second finds the place taken and uses it.
 */
async function inPlace(folder, fill) {
  if (existsSync(folder)) return folder;
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    const temp = await mkdtemp(`${folder}.`);
    try {
      await fill(temp);
      await rename(temp, folder).catch((error) => {
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(temp, { recursive: true, force: true });
    }
  } catch (error) {
    if (error.code === "ENOSPC") throw new Error(`No space left for ${folder}`, { cause: error });
    throw error;
  }
  return folder;
}

async function pack(spec, folder) {
  const args = ["pack", spec, "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"];
  try {
    await command(windows ? "npm.cmd" : "npm", args, { shell: windows });
  } catch (error) {
    if (error.cause?.code === "ENOENT") throw error;
    throw new Error(`npm could not fetch ${spec}. Is the network or npm's registry reachable?\n${error.message}`, {
      cause: error,
    });
  }
  const archive = (await readdir(folder)).find((file) => file.endsWith(".tgz"));
  if (!archive) throw new Error(`npm pack ${spec} left no archive`);
  return path.join(folder, archive);
}

async function checkIntegrity(archive, expected, name) {
  const hash = createHash("sha512");
  for await (const chunk of createReadStream(archive)) hash.update(chunk);
  const actual = `sha512-${hash.digest("base64")}`;
  if (actual !== expected) {
    throw new Error(`${name}@${lock.version}: wrong checksum\n  expected ${expected}\n  received ${actual}`);
  }
}

async function command(file, args, options = {}) {
  try {
    return await run(file, args, { maxBuffer: 64 * 1024 * 1024, ...options });
  } catch (error) {
    if (error.code === "ENOENT") throw new Error(`${file} is needed but was not found`, { cause: error });
    const text = String(error.stderr ?? "").trim();
    if (/ENOSPC|No space left/i.test(text)) throw new Error(`No space left on the device (${file})`, { cause: error });
    throw new Error(text || error.message, { cause: error });
  }
}

/**
 * Writes a .def file for each DLL of a folder: the packages hold no import libraries, and linkers make one from such a
 * file. Reads the export table of the PE format (Microsoft's "PE Format", sections 3 and 6.3).
 */
export async function writeDefFiles(binaryFolder, outFolder) {
  await mkdir(outFolder, { recursive: true });
  const files = (await readdir(binaryFolder)).filter((file) => /^(ggml-base|ggml\.v.*|llama\.v.*)\.dll$/.test(file));
  for (const file of files) {
    const names = exportedNames(await readFile(path.join(binaryFolder, file)));
    const exports = names.filter((name) => /^(llama|ggml|gguf)_/.test(name));
    await writeFile(path.join(outFolder, `${file}.def`), `LIBRARY "${file}"\nEXPORTS\n${exports.join("\n")}\n`);
  }
}

export function exportedNames(image) {
  const header = image.readUInt32LE(0x3c) + 4; // behind "PE\0\0"
  const sectionCount = image.readUInt16LE(header + 2);
  const optionalHeader = header + 20;
  const isPlus = image.readUInt16LE(optionalHeader) === 0x20b;
  const sections = optionalHeader + image.readUInt16LE(header + 16);
  const fileOffset = (address) => {
    for (let i = 0; i < sectionCount; i++) {
      const section = sections + i * 40;
      const start = image.readUInt32LE(section + 12);
      const size = image.readUInt32LE(section + 16);
      if (address >= start && address < start + size) return image.readUInt32LE(section + 20) + address - start;
    }
    throw new Error(`address ${address} is in no section`);
  };
  const table = fileOffset(image.readUInt32LE(optionalHeader + (isPlus ? 112 : 96)));
  const count = image.readUInt32LE(table + 24);
  const names = fileOffset(image.readUInt32LE(table + 32));
  return Array.from({ length: count }, (_, i) => {
    const start = fileOffset(image.readUInt32LE(names + i * 4));
    return image.toString("latin1", start, image.indexOf(0, start));
  });
}
