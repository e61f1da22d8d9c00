// What the attacks aim at: files, sockets and a process of ours, and a count of those that were hit.
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { onTestFinished } from "vitest";
import { root } from "../support/sources.ts";
import { temporaryFolder } from "../support/temporaryFolder.ts";

export const product = path.join(root, "dist");

export const attackScript = (dist: string) => path.join(dist, "attacks.mjs");

export interface Targets {
  readonly parent: number;
  readonly victim: number;
  readonly folder: string;
  readonly ownFolder: string;
  readonly secret: string;
  readonly linkToSecret: string;
  readonly deletable: string;
  readonly addon: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly socketFile: string;
  readonly abstractSocket: string;
  /** Attacks before this one were tried already, by a process that one of them ended. */
  readonly from: number;
}

/** `uid`: of the attacker, whom every target belongs to as far as ordinary permissions are concerned. */
export async function putUpTargets(uid: number): Promise<{ targets: Targets; dist: string; hits: string[] }> {
  const hits: string[] = [];
  const folder = temporaryFolder();
  chmodSync(folder, 0o777);
  const dist = path.join(folder, "dist");
  const ownFolder = path.join(dist, "pyodide");
  mkdirSync(ownFolder, { recursive: true, mode: 0o777 });
  chmodSync(ownFolder, 0o777);
  mkdirSync(path.join(dist, "native"));
  copyFileSync(path.join(product, "native", "hotpath-confine"), path.join(dist, "native", "hotpath-confine"));
  // Beside the rest, as the product's own script is: of paths that have only "/" in common Node lets "/" be listed.
  copyFileSync(path.join(root, "test", "sandbox", "attacks.mjs"), attackScript(dist));
  const file = (name: string) => {
    const target = path.join(folder, name);
    writeFileSync(target, "secret");
    chmodSync(target, 0o666);
    return target;
  };
  const secret = file("secret");
  const linkToSecret = path.join(ownFolder, "link");
  symlinkSync(secret, linkToSecret);
  const addon = path.join(folder, "hotpath.node");
  copyFileSync(path.join(product, "native", "hotpath.node"), addon);
  const victim = spawn("sleep", ["600"], { uid, gid: uid, stdio: "ignore" });
  onTestFinished(() => void victim.kill("SIGKILL"));
  const socketFile = path.join(folder, "socket");
  const abstractSocket = `\0hotpath-test-${process.pid}-${uid}`;
  const tcpPort = ((await listener(hits, "TCP", 0)).address() as AddressInfo).port;
  await listener(hits, "socket file", socketFile);
  chmodSync(socketFile, 0o777);
  await listener(hits, "abstract socket", abstractSocket);
  const udp = dgram.createSocket("udp4", () => hits.push("UDP"));
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  onTestFinished(() => void udp.close());
  const targets = {
    parent: process.pid,
    victim: victim.pid ?? 0,
    folder,
    ownFolder,
    secret,
    linkToSecret,
    deletable: file("deletable"),
    addon,
    tcpPort,
    udpPort: udp.address().port,
    socketFile,
    abstractSocket,
    from: 0,
  };
  return { targets, dist, hits };
}

async function listener(hits: string[], name: string, at: number | string): Promise<net.Server> {
  const server = net.createServer((socket) => {
    hits.push(name);
    socket.on("error", () => {}); // The attacker left.
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
  if (typeof at === "number") server.listen(at, "127.0.0.1");
  else server.listen(at);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}
