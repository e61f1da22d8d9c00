// The C++ tests: `npm test -- native`. Those that need a GPU run on Mesa's software Vulkan device.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { testProgram } from "../../native/build.mjs";
import { installPackages, mayInstallPackages } from "../support/debian.mjs";

const vulkanPackages = ["libvulkan1", "mesa-vulkan-drivers"];
/** ggml takes a device of type CPU, which a software device is, only when it is named. */
const softwareVulkan = { GGML_VK_VISIBLE_DEVICES: "0" };
const gpuTests = "on_the_gpu";

/** @returns {Promise<{ passed: number, failed: number, skipped: { name: string, reason: string }[] }>} */
export async function runNativeTests({ log }) {
  const all = await runProgram([], {}, log);
  if (all.failed > 0 || all.skipped.length === 0) return all;
  const missing = await missingVulkan(log);
  if (missing)
    return { ...all, skipped: all.skipped.map((test) => ({ ...test, reason: `${test.reason}; ${missing}` })) };
  const onGpu = await runProgram([gpuTests], softwareVulkan, log);
  const others = all.skipped.filter(({ name }) => !name.includes(gpuTests));
  return {
    passed: all.passed + onGpu.passed,
    failed: all.failed + onGpu.failed,
    skipped: [...others, ...onGpu.skipped],
  };
}

/** Why there is no software Vulkan device; undefined when there is one. */
async function missingVulkan(log) {
  if (process.platform !== "linux") return "software Vulkan is tried on Linux only";
  if (hasSoftwareVulkan()) return undefined;
  const names = vulkanPackages.join(" ");
  if (!mayInstallPackages()) return `install ${names} to run it on a software device`;
  log(`native: apt-get install ${names}`);
  await installPackages(vulkanPackages);
  return hasSoftwareVulkan() ? undefined : `${names} brought no software Vulkan device`;
}

function hasSoftwareVulkan() {
  const folder = "/usr/share/vulkan/icd.d";
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("lvp_icd"));
}

async function runProgram(args, env, log) {
  const { printed, code } = await execute(testProgram(), args, { ...process.env, ...env });
  const counts = /^(\d+) passed, (\d+) failed, \d+ skipped$/m.exec(printed);
  const skipped = [...printed.matchAll(/^skipped (.*?): (.*)$/gm)].map(([, name, reason]) => ({ name, reason }));
  const passed = Number(counts?.[1] ?? 0);
  const failed = Number(counts?.[2] ?? 0);
  // The program also fails when every test was skipped, as that of the GPU is where no GPU backend was built.
  const isGood = failed === 0 && (code === 0 || (counts !== null && skipped.length > 0));
  log(isGood ? printed.trimEnd().split("\n").at(-1) : printed);
  // A crash prints no counts.
  return { passed, failed: isGood ? 0 : Math.max(1, failed), skipped };
}

function execute(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    const collect = (chunk) => {
      printed += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ printed: signal ? `${printed}\nended by ${signal}` : printed, code }),
    );
  });
}
