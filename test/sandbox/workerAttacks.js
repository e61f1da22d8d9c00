// Takes the place of the worker's script: what arbitrary JavaScript can do in a worker of the panel, and in a worker
// that this one starts. Never shipped.
//   message in    { canary, own, nested, source }: addresses of two servers; whether to do it all in a worker of its
//                 own, made of this source
//   message out   { name: "reached" or what it was refused with }
const patienceMs = 3_000;

const attacksOn = ({ canary, own }) => ({
  "fetch another server": () => fetch(`${canary}/fetch`, { mode: "no-cors" }),
  "fetch its own server": () => fetch(own),
  "fetch data": () => fetch("data:text/plain,x"),
  XMLHttpRequest: () => {
    const request = new XMLHttpRequest();
    request.open("GET", `${canary}/request`, false);
    request.send();
  },
  WebSocket: () => opened(new WebSocket(`${canary.replace("http", "ws")}/socket`)),
  EventSource: () => opened(new EventSource(`${canary}/events`)),
  WebTransport: () => new WebTransport(canary.replace("http:", "https:")).ready,
  "a peer connection": () => new RTCPeerConnection(),
  "a beacon": () => navigator.sendBeacon(`${canary}/beacon`),
  "importScripts of a server": () => importScripts(`${canary}/script`),
  "importScripts of data": () => importScripts("data:text/javascript,0"),
  "importScripts of a blob": () => importScripts(blob("0")),
  "import of a server": () => import(`${canary}/module`),
  "import of data": () => import(["data:text/javascript", "0"].join(",")),
  "import of a blob": () => import(blob("0")),
  // biome-ignore lint/security/noGlobalEval: this is what is tried
  eval: () => globalThis.eval("1"),
  Function: () => new Function("return 1")(),
  "a constructor's constructor": () => [].constructor.constructor("return 1")(),
  "a worker of a server": () => started(new Worker(`${canary}/worker`)),
  "a worker of a blob": () => started(new Worker(blob("postMessage(1)"))),
  "a shared worker": () => new SharedWorker("data:text/javascript,0"),
  "a service worker": () => navigator.serviceWorker.register(`${own}/service`),
  "a cache": async () => (await caches.open("x")).add(`${canary}/cache`),
  "a database": () => database(),
  "the list of databases": () => indexedDB.databases(),
  "files of the origin": () => navigator.storage.getDirectory(),
  "local storage": () => localStorage.length,
  "the page": () => document.title,
  "its window": () => window.name,
  "its parent": () => parent.name,
  "the editor": () => acquireVsCodeApi(),
  Node: () => process.version,
  "shared memory": () => new SharedArrayBuffer(8),
});

const blob = (source) => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));

function opened(connection) {
  return new Promise((resolve, reject) => {
    connection.onopen = resolve;
    connection.onerror = () => reject(new Error("closed"));
  });
}

function started(worker) {
  return new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = () => reject(new Error("did not start"));
  });
}

function database() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("attack");
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  });
}

async function attempt(attack) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), patienceMs));
  try {
    await Promise.race([attack(), late]);
    return "reached";
  } catch (error) {
    return `${error?.name}: ${error?.message}`;
  }
}

function inside(message) {
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(message.source)}`);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => reject(new Error("the nested worker did not start"));
    worker.postMessage({ ...message, nested: false });
  });
}

self.onmessage = async ({ data }) => {
  if (data.nested) return self.postMessage(await inside(data));
  const results = {};
  for (const [name, attack] of Object.entries(attacksOn(data))) results[name] = await attempt(attack);
  self.postMessage(results);
};
