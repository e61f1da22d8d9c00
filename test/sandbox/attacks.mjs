// Takes the place of the child's script: what arbitrary JavaScript can do behind the same walls, the worst that Python
// could break out into. Never shipped.
//   stdin   one line: where the targets are
//   stdout  one line for each attack: its name, and what it reached or was refused with
import childProcess from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns/promises";
import fs from "node:fs";
import inspector from "node:inspector";
import net from "node:net";
import os from "node:os";
import v8 from "node:v8";
import { WASI } from "node:wasi";
import { Worker } from "node:worker_threads";

const patienceMs = 3_000;

/** @param {import("./targets.ts").Targets} targets */
const attacksOn = (targets) => ({
  "read a system file": () => fs.readFileSync("/etc/passwd"),
  "read a file beside": () => fs.readFileSync(targets.secret),
  "read through a link in its own folder": () => fs.readFileSync(targets.linkToSecret),
  "list the root": () => fs.readdirSync("/"),
  "read its parent's environment": () => fs.readFileSync(`/proc/${targets.parent}/environ`),
  "read its own environment": () => fs.readFileSync("/proc/self/environ"),
  "write a file": () => fs.writeFileSync(`${targets.folder}/written`, "x"),
  "write into its own folder": () => fs.writeFileSync(`${targets.ownFolder}/written`, "x"),
  "make a folder": () => fs.mkdirSync(`${targets.folder}/made`),
  "delete a file": () => fs.unlinkSync(targets.deletable),
  "make a link": () => fs.symlinkSync("/etc/passwd", `${targets.folder}/link`),
  "change a mode": () => fs.chmodSync(targets.secret, 0o666),
  "start a program": () => started(childProcess.spawnSync("/bin/true")),
  "start Node again": () => started(childProcess.spawnSync(process.execPath, ["--version"])),
  "connect to a port": () => connected(net.connect(targets.tcpPort, "127.0.0.1")),
  "listen on a port": () => settled(net.createServer().listen(0, "127.0.0.1"), "listening"),
  "send a datagram": () => sent(dgram.createSocket("udp4"), targets.udpPort),
  "fetch an address": () => fetch(`http://127.0.0.1:${targets.tcpPort}/`),
  "connect to a socket file": () => connected(net.connect(targets.socketFile)),
  "connect to an abstract socket": () => connected(net.connect(targets.abstractSocket)),
  "resolve a name": () => dns.lookup("localhost"),
  "signal its starter": () => process.kill(targets.parent, 0),
  "signal its parent": () => signalParent(),
  "signal another process": () => process.kill(targets.victim, "SIGCONT"),
  "signal every process": () => process.kill(-1, 0),
  "slow another process down": () => os.setPriority(targets.victim, 11),
  "wake another Node's debugger": () => process._debugProcess(targets.victim),
  "open its own debugger": () => {
    inspector.open(0, "127.0.0.1");
    if (!inspector.url()) throw new Error("not listening");
  },
  "start a thread": () => settled(new Worker(new URL("data:text/javascript,0")), "online"),
  "load native code": () => process.dlopen({ exports: {} }, targets.addon),
  "see the root through WASI": () => new WASI({ version: "preview1", preopens: { "/": "/" } }),
  "become another user": () => changeUser(),
  "change its folder": () => process.chdir("/etc"),
  "write a heap snapshot": () => v8.writeHeapSnapshot(`${targets.folder}/heap`),
  "write a report": () => {
    if (!process.report.writeReport(`${targets.folder}/report.json`)) throw new Error("not written");
  },
  "make code from a string": () => new Function("return 1"),
});

const started = ({ error }) => {
  if (error) throw error;
};

const connected = (socket) => settled(socket, "connect").finally(() => socket.destroy());

function settled(emitter, event) {
  return new Promise((resolve, reject) => {
    emitter.on(event, resolve);
    emitter.on("error", reject);
  });
}

function sent(socket, port) {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.send("x", port, "127.0.0.1", (error) => (error ? reject(error) : resolve()));
  });
}

function signalParent() {
  // Process 1 of a namespace has none.
  if (process.ppid === 0) throw new Error("there is none");
  process.kill(process.ppid, 0);
}

function changeUser() {
  process.setuid(process.getuid() === 1 ? 2 : 1);
}

async function attempt(attack) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), patienceMs);
  });
  try {
    await Promise.race([attack(), late]);
    return { reached: true, refusal: null };
  } catch (error) {
    return { reached: false, refusal: `${error.code ?? error.name}: ${error.message}`.slice(0, 200) };
  } finally {
    clearTimeout(timer);
  }
}

let text = "";
for await (const piece of process.stdin) {
  text += piece;
  if (text.endsWith("\n")) break;
}
const targets = JSON.parse(text);
const attacks = Object.entries(attacksOn(targets));
for (const [name, attack] of attacks.slice(targets.from)) {
  fs.writeSync(1, `${JSON.stringify({ name, ...(await attempt(attack)) })}\n`);
}
fs.writeSync(1, `${JSON.stringify({ total: attacks.length })}\n`);
process.exit(0);
