// Where llama.cpp's libraries are looked for: those that ship with Hotpath, then what the user added for a CUDA device.
import { existsSync } from "node:fs";
import path from "node:path";
import { dataFolder } from "./dataFolder.ts";

const cudaPackages: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64-cuda",
  "win32-x64": "win-x64-cuda",
};

/** The npm package with llama.cpp's CUDA library for this machine and the folder it is to be installed in. */
export function cudaPackage(env: NodeJS.ProcessEnv = process.env): { name: string; prefix: string } | undefined {
  const platform = cudaPackages[`${process.platform}-${process.arch}`];
  if (!platform) return undefined;
  return { name: `@node-llama-cpp/${platform}`, prefix: path.join(dataFolder(env), "libraries") };
}

export function libraryDirectories(scriptFolder: string, env: NodeJS.ProcessEnv = process.env): string[] {
  const cuda = cudaPackage(env);
  const added = cuda && path.join(cuda.prefix, "node_modules", cuda.name, "bins", path.basename(cuda.name));
  return [path.join(scriptFolder, "native"), ...(added ? [added] : [])];
}

/** The library with Hotpath's own CUDA kernels; empty where none was built. */
export function cudaKernelLibrary(scriptFolder: string): string {
  const name = process.platform === "win32" ? "hotpath-cuda.dll" : "libhotpath-cuda.so";
  const file = path.join(scriptFolder, "native", name);
  return existsSync(file) ? file : "";
}
