// Which models are in memory: loads on demand, shares between clients, unloads what is idle or in the way.

import { abortable } from "../common/cancellation.ts";
import { AppError, isCancelled, toAppError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import type { ModelState, UnloadReason } from "../protocol/engine.ts";
import { type ModelSpec, modeChoices, specKey } from "../protocol/model.ts";
import type { NativeModel, Task } from "./addon.ts";

/** Two: the editor's model and one a CLI call asked for; a third pushes out the one used longest ago. */
const maxModels = 2;

interface Entry {
  readonly spec: ModelSpec;
  readonly load: Task<NativeModel>;
  state: ModelState;
  users: number;
  lastUsedMs: number;
}

export interface ModelPoolOptions {
  readonly addon: { load(spec: ModelSpec, onProgress: (fraction: number) => void): Task<NativeModel> };
  readonly logger: Logger;
  readonly onState: (state: ModelState) => void;
  readonly now: () => number;
}

export class ModelPool {
  readonly #entries = new Map<string, Entry>();
  /** The end of the last generation that was asked of a model. */
  readonly #turns = new WeakMap<NativeModel, Promise<void>>();
  readonly #options: ModelPoolOptions;
  #idleUnloadMs = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: ModelPoolOptions) {
    this.#options = options;
  }

  get states(): ModelState[] {
    return [...this.#entries.values()].map((entry) => entry.state);
  }

  /** 0 keeps models for ever. */
  setIdleUnload(ms: number): void {
    this.#idleUnloadMs = ms;
    this.#scheduleIdleCheck();
  }

  /**
   * Runs `work` with the model loaded; the model stays in memory at least until the work has ended. A load that nobody
   * waits for any more is cancelled.
   */
  async use<T>(spec: ModelSpec, signal: AbortSignal, work: (model: NativeModel) => Promise<T>): Promise<T> {
    const entry = this.#entryFor(spec);
    entry.users++; // At once: nobody may take a model away between being asked for and being used.
    try {
      return await work(await abortable(entry.load.result, signal));
    } finally {
      entry.users--;
      entry.lastUsedMs = this.#options.now();
      if (entry.users === 0 && entry.state.phase === "loading") this.#abandon(entry);
      this.#trim();
      this.#scheduleIdleCheck();
    }
  }

  /** Like `use`, one after another per model. Who is cancelled while waiting leaves the queue at once. */
  useInTurn<T>(spec: ModelSpec, signal: AbortSignal, work: (model: NativeModel) => Promise<T>): Promise<T> {
    return this.use(spec, signal, async (model) => {
      const before = this.#turns.get(model) ?? Promise.resolve();
      const turn = (async () => {
        await abortable(before, signal);
        return await work(model);
      })();
      const ended = Promise.allSettled([before, turn]).then(() => undefined);
      this.#turns.set(model, ended);
      return await turn;
    });
  }

  /** Cancels loads, ends generations, frees everything. */
  async dispose(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await Promise.all([...this.#entries.values()].map((entry) => this.#remove(entry)));
  }

  #entryFor(spec: ModelSpec): Entry {
    const key = specKey(spec);
    const known = this.#entries.get(key);
    if (known) return known;
    const outdated = [...this.#entries.values()].filter((entry) => entry.spec.path === spec.path && entry.users === 0);
    const surplus = this.#leastRecentlyUsed().filter((entry) => !outdated.includes(entry));
    surplus.splice(Math.max(0, this.#entries.size - outdated.length - maxModels + 1));
    const leaving = [
      ...outdated.map((entry) => [entry, "respecified"] as const),
      ...surplus.map((entry) => [entry, "evicted"] as const),
    ];
    const entry = this.#startLoading(key, spec, Promise.all(leaving.map(([e, reason]) => this.#unload(e, reason))));
    this.#entries.set(key, entry);
    return entry;
  }

  #startLoading(key: string, spec: ModelSpec, room: Promise<unknown>): Entry {
    const { addon, logger, now } = this.#options;
    let current: Task<NativeModel> | undefined;
    let isCancelRequested = false;
    const attempt = () => {
      current = addon.load(spec, (fraction) => this.#setState(entry, { phase: "loading", path: spec.path, fraction }));
      if (isCancelRequested) current.cancel();
      return current.result;
    };
    const loadMakingRoom = async () => {
      await room;
      try {
        return await attempt();
      } catch (error) {
        const idle = this.#leastRecentlyUsed().filter((other) => other !== entry);
        if (toAppError(error).code !== "model/too-large" || idle.length === 0) throw error;
        await Promise.all(idle.map((other) => this.#unload(other, "evicted")));
        return await attempt();
      }
    };
    const result = loadMakingRoom();
    const cancel = () => {
      isCancelRequested = true;
      current?.cancel();
    };
    const entry: Entry = {
      spec,
      load: { result, cancel },
      state: { phase: "loading", path: spec.path, fraction: 0 },
      users: 0,
      lastUsedMs: now(),
    };
    this.#options.onState(entry.state);
    result.then(
      (model) => {
        this.#setState(entry, { phase: "ready", path: spec.path, model: model.info });
        this.#scheduleIdleCheck();
      },
      (error) => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        if (isCancelled(error)) return this.#tellUnloaded(entry, "cancelled");
        const { code, message, details } = toAppError(error);
        logger.error(`${code}: ${message}`);
        this.#setState(entry, { phase: "failed", path: spec.path, message, error: { code, details } });
      },
    );
    return entry;
  }

  #leastRecentlyUsed(): Entry[] {
    const idle = [...this.#entries.values()].filter((entry) => entry.users === 0);
    return idle.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
  }

  async #unload(entry: Entry, reason: UnloadReason): Promise<void> {
    await this.#remove(entry);
    this.#tellUnloaded(entry, reason);
  }

  #tellUnloaded(entry: Entry, reason: UnloadReason): void {
    this.#options.logger.info(`unloaded ${entry.spec.path} (${reason})`);
    // Clients know models by path: what takes this one's place has told its own state.
    const isReplaced = [...this.#entries.values()].some((other) => other.spec.path === entry.spec.path);
    if (!isReplaced) this.#setState(entry, { phase: "unloaded", path: entry.spec.path, reason });
  }

  /** The failure of its load, which is its cancellation, removes it. */
  #abandon(entry: Entry): void {
    for (const [key, value] of this.#entries) if (value === entry) this.#entries.delete(key);
    entry.load.cancel();
  }

  /** Models that were loaded while others were in use. */
  #trim(): void {
    const surplus = this.#leastRecentlyUsed().slice(0, Math.max(0, this.#entries.size - maxModels));
    for (const entry of surplus) void this.#unload(entry, "evicted");
  }

  async #remove(entry: Entry): Promise<void> {
    for (const [key, value] of this.#entries) if (value === entry) this.#entries.delete(key);
    entry.load.cancel();
    const model = await entry.load.result.catch(() => undefined); // A failed load was reported when it failed.
    await model?.unload();
  }

  #setState(entry: Entry, state: ModelState): void {
    entry.state = state;
    this.#options.onState(state);
  }

  #scheduleIdleCheck(): void {
    clearTimeout(this.#idleTimer);
    if (this.#idleUnloadMs === 0) return;
    const idle = this.#leastRecentlyUsed().filter((entry) => entry.state.phase === "ready");
    const next = idle[0];
    if (!next) return;
    const waitMs = Math.max(0, next.lastUsedMs + this.#idleUnloadMs - this.#options.now());
    this.#idleTimer = setTimeout(() => {
      if (next.users === 0) void this.#unload(next, "idle").then(() => this.#scheduleIdleCheck());
    }, waitMs);
  }
}

export function checkSpec(spec: ModelSpec): void {
  const { path, device, gpuLayers, contextLength, threads, mode } = spec;
  const counts: [string, number, number][] = [
    ["gpuLayers", gpuLayers, -1],
    ["contextLength", contextLength, 0],
    ["threads", threads, 0],
  ];
  if (typeof path !== "string" || path === "") throw new AppError("request/invalid", `model path is ${String(path)}`);
  if (device !== "auto" && device !== "cpu") throw new AppError("request/invalid", `device is ${String(device)}`);
  if (!modeChoices.includes(mode)) throw new AppError("request/invalid", `mode is ${String(mode)}`);
  for (const [name, value, least] of counts) {
    if (!Number.isSafeInteger(value) || value < least)
      throw new AppError("request/invalid", `${name} is ${value}, least is ${least}`);
  }
}
