// Starts and ends a code-server that works in a Profile.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../support/tools.mjs";

export async function installExtension(editor, profile, vsix) {
  const args = [editor.codeServer, ...profileArguments(profile), "--install-extension", vsix];
  const output = await run(editor.node, args, { env: environment(profile), timeoutMs: 60_000 });
  if (!/was successfully installed/.test(output)) throw new Error(`code-server did not install ${vsix}:\n${output}`);
}

/**
 * Starts code-server on a free port and resolves when it listens. `stop` ends it and what it started, and gives the ids
 * of the processes that did not end by themselves.
 * `inHostTests`: the built workbench obeys extensionTestsPath only with its smoke test driver, which hides notifications.
 */
export async function startCodeServer(editor, profile, { env = {}, inHostTests = false } = {}) {
  const args = [editor.codeServer, ...profileArguments(profile), "--auth", "none", "--bind-addr", "127.0.0.1:0"];
  args.push("--disable-telemetry", "--disable-update-check", "--disable-workspace-trust");
  args.push("--disable-getting-started-override", "--ignore-last-opened", "--disable-proxy");
  if (inHostTests) args.push("--vscode-option", "enable-smoke-test-driver");

  const child = spawn(editor.node, args, {
    env: environment(profile, env),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // A process group of its own, so that it can be ended as a whole.
  });
  const onExit = () => {
    endNow(profile, child);
    profile.remove();
  };
  process.on("exit", onExit); // For when this process ends before `stop` was called.
  const stop = async () => {
    const survivors = await endGently(profile, child);
    process.off("exit", onExit);
    return survivors;
  };
  try {
    const url = await listening(child, 60_000);
    return { url, host: new URL(url).host, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function profileArguments(profile) {
  const config = path.join(profile.directory, "config.yaml");
  writeFileSync(config, "auth: none\n"); // Without it code-server writes one into the home folder.
  return ["--config", config, "--user-data-dir", profile.userData, "--extensions-dir", profile.extensions];
}

/** The environment of the server, and so of the extension host and of the engine it starts. */
function environment(profile, extra = {}) {
  const isForeign = (name) => /^(VSCODE_|npm_|NODE_OPTIONS$|PASSWORD$)/.test(name);
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))),
    // code-server keeps sockets and logs there, also with --user-data-dir.
    XDG_DATA_HOME: path.join(profile.directory, "xd"),
    XDG_CONFIG_HOME: path.join(profile.directory, "xc"),
    XDG_CACHE_HOME: path.join(profile.directory, "xh"),
    TMPDIR: profile.temporary,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    HOTPATH_RUNTIME_DIR: profile.runtime,
    HOTPATH_DATA_DIR: profile.kept,
    HOTPATH_LINGER_MS: "2000", // How long the engine outlives its last client.
    ...extra,
  };
}

function listening(child, timeoutMs) {
  let log = "";
  return new Promise((resolve, reject) => {
    const fail = (what) => reject(new Error(`code-server ${what}:\n${log}`));
    setTimeout(fail, timeoutMs, `did not listen within ${timeoutMs} ms`).unref();
    const onData = (chunk) => {
      log += chunk;
      const match = /HTTP server listening on (http:\/\/[^\s/]+)/.exec(log);
      if (match) resolve(match[1]);
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    child.on("error", reject);
    child.on("exit", (code, signal) => fail(`ended with ${code ?? signal}`));
  });
}

/** Gives the server and the engine, which notices that its last client left, time to end by themselves. */
async function endGently(profile, child) {
  signal(-child.pid, "SIGTERM");
  const deadline = performance.now() + 10_000;
  while (profile.processes().length > 0 && performance.now() < deadline) await delay(50);
  const survivors = profile.processes();
  endNow(profile, child);
  return survivors;
}

function endNow(profile, child) {
  signal(-child.pid, "SIGKILL");
  for (const pid of profile.processes()) signal(pid, "SIGKILL");
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // Already gone, which is what is wanted.
  }
}
