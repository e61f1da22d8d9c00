// Which models are in memory: loads on demand, shares between clients, unloads what is idle or in the way.

import { abortable } from "../common/cancellation.ts";
import { AppError, isCancelled, toAppError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import type { ModelState, Priority, UnloadReason } from "../protocol/engine.ts";
import { type LoadedModel, type ModelSpec, modeChoices, specKey } from "../protocol/model.ts";
import type { NativeModel, Task } from "./addon.ts";
import { LoadPace } from "./loadPace.ts";
import { Turns } from "./turns.ts";

/** Two: the editor's model and one a CLI call asked for; a third pushes out the one used longest ago. Held ones are extra. */
const maxModels = 2;

interface Entry {
  readonly spec: ModelSpec;
  /** Of its file when it was loaded. */
  readonly identity: string | null;
  readonly load: Task<NativeModel>;
  readonly turns: Turns;
  state: ModelState;
  users: number;
  holds: number;
  /** Stays when nobody uses it, because somebody may come back. What was only ever held goes with the last hold. */
  isLasting: boolean;
  lastUsedMs: number;
}

/** A model that stays in memory. */
export interface Hold {
  readonly model: LoadedModel;
  /** Resolves when its memory is free, or at once where others use it or may come back to it. */
  release(): Promise<void>;
}

export interface ModelPoolOptions {
  readonly addon: { load(spec: ModelSpec, onProgress: (fraction: number) => void): Task<NativeModel> };
  readonly logger: Logger;
  readonly onState: (state: ModelState) => void;
  readonly now: () => number;
  /** What differs when another file lies at the path; null: there is none. */
  readonly identify: (path: string) => string | null;
}

export class ModelPool {
  readonly #entries = new Map<string, Entry>();
  /** Whose memory is about to be free. A load that was cancelled ends at its next step only. */
  readonly #leaving = new Set<Promise<void>>();
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
   * waits for any more is cancelled. `isHolder`: who asks holds the model, and so has said how long it is needed.
   */
  use<T>(spec: ModelSpec, signal: AbortSignal, work: (model: NativeModel) => Promise<T>, isHolder = false): Promise<T> {
    const entry = this.#entryFor(spec);
    if (!isHolder) entry.isLasting = true;
    return this.#use(entry, signal, work);
  }

  /** Like `use`, one after another per model; see `Turns`. */
  useInTurn<T>(
    spec: ModelSpec,
    priority: Priority,
    signal: AbortSignal,
    work: (model: NativeModel) => Promise<T>,
    isHolder = false,
  ): Promise<T> {
    const entry = this.#entryFor(spec);
    if (priority === "completion" && !isHolder) entry.isLasting = true;
    return this.#use(entry, signal, (model) => entry.turns.run(priority, signal, () => work(model)));
  }

  /**
   * Loads a model, beside others of the same file, and keeps it. Who holds it reads its file, too: one that was replaced
   * since is loaded anew. Rejects with `model/unloaded` while the old one is in use.
   */
  async hold(spec: ModelSpec, signal: AbortSignal): Promise<Hold> {
    const entry = this.#entryToHold(spec);
    entry.holds++;
    try {
      const { info } = await this.#use(entry, signal, async (model) => model);
      let isHeld = true;
      const release = async () => {
        if (!isHeld) return;
        isHeld = false;
        entry.holds--;
        await this.#afterUse(entry);
      };
      return { model: info, release };
    } catch (error) {
      entry.holds--;
      void this.#afterUse(entry);
      throw error;
    }
  }

  /** Cancels loads, ends generations, frees everything. */
  async dispose(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await Promise.all([...this.#entries.values()].map((entry) => this.#remove(entry)));
  }

  #entryToHold(spec: ModelSpec): Entry {
    const known = this.#entries.get(specKey(spec));
    const isReplaced = known !== undefined && known.identity !== this.#options.identify(spec.path);
    if (known && !isReplaced) return known;
    if (known && !isUnused(known))
      throw new AppError("model/unloaded", `${spec.path} was replaced since it was loaded, and the old one is in use`);
    if (known) void this.#unload(known, "respecified");
    return this.#startLoading(spec, known?.isLasting ?? false);
  }

  async #use<T>(entry: Entry, signal: AbortSignal, work: (model: NativeModel) => Promise<T>): Promise<T> {
    entry.users++; // At once: nobody may take a model away between being asked for and being used.
    try {
      return await work(await abortable(entry.load.result, signal));
    } finally {
      entry.users--;
      void this.#afterUse(entry);
    }
  }

  async #afterUse(entry: Entry): Promise<void> {
    entry.lastUsedMs = this.#options.now();
    const isIdle = isUnused(entry) && this.#entries.get(specKey(entry.spec)) === entry;
    if (isIdle && entry.state.phase === "loading") void this.#remove(entry);
    else if (isIdle && !entry.isLasting) await this.#unload(entry, "released");
    this.#trim();
    this.#scheduleIdleCheck();
  }

  #entryFor(spec: ModelSpec): Entry {
    const known = this.#entries.get(specKey(spec));
    if (known) return known;
    const idle = this.#leastRecentlyUsed();
    const outdated = idle.filter((entry) => entry.spec.path === spec.path);
    const surplus = idle.filter((entry) => !outdated.includes(entry));
    surplus.splice(Math.max(0, this.#countUnheld() - outdated.length - maxModels + 1));
    for (const entry of outdated) void this.#unload(entry, "respecified");
    for (const entry of surplus) void this.#unload(entry, "evicted");
    return this.#startLoading(spec, true);
  }

  /** Begins when the memory of those that leave is free: how much there is decides where the model goes. */
  #startLoading(spec: ModelSpec, isLasting: boolean): Entry {
    const { addon, logger, now, identify } = this.#options;
    const key = specKey(spec);
    let current: Task<NativeModel> | undefined;
    let isCancelRequested = false;
    const attempt = () => {
      const pace = new LoadPace(now());
      current = addon.load(spec, (fraction) => {
        const remainingMs = pace.remainingMs(fraction, now());
        this.#setState(entry, { phase: "loading", spec, fraction, remainingMs });
      });
      if (isCancelRequested) current.cancel();
      return current.result;
    };
    const leaving = [...this.#leaving];
    const loadMakingRoom = async () => {
      await Promise.all(leaving);
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
      identity: identify(spec.path),
      load: { result, cancel },
      turns: new Turns(),
      state: { phase: "loading", spec, fraction: 0, remainingMs: null },
      users: 0,
      holds: 0,
      isLasting,
      lastUsedMs: now(),
    };
    this.#entries.set(key, entry);
    this.#options.onState(entry.state);
    result.then(
      (model) => {
        // Loaded in the moment in which it was cancelled.
        if (this.#entries.get(key) !== entry) return this.#tellUnloaded(entry, "cancelled");
        this.#setState(entry, { phase: "ready", spec, model: model.info });
        this.#scheduleIdleCheck();
      },
      (error) => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
        if (isCancelled(error)) return this.#tellUnloaded(entry, "cancelled");
        const { code, message, details } = toAppError(error);
        logger.error(`${code}: ${message}`);
        this.#setState(entry, { phase: "failed", spec, message, error: { code, details } });
      },
    );
    return entry;
  }

  #leastRecentlyUsed(): Entry[] {
    const idle = [...this.#entries.values()].filter(isUnused);
    return idle.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
  }

  #countUnheld(): number {
    return [...this.#entries.values()].filter((entry) => entry.holds === 0).length;
  }

  async #unload(entry: Entry, reason: UnloadReason): Promise<void> {
    await this.#remove(entry);
    this.#tellUnloaded(entry, reason);
  }

  #tellUnloaded(entry: Entry, reason: UnloadReason): void {
    this.#options.logger.info(`unloaded ${entry.spec.path} (${reason})`);
    // What took its place in the meantime has told its own state.
    if (!this.#entries.has(specKey(entry.spec))) this.#setState(entry, { phase: "unloaded", spec: entry.spec, reason });
  }

  /** Models that were loaded while others were in use. */
  #trim(): void {
    const surplus = this.#leastRecentlyUsed().slice(0, Math.max(0, this.#countUnheld() - maxModels));
    for (const entry of surplus) void this.#unload(entry, "evicted");
  }

  async #remove(entry: Entry): Promise<void> {
    for (const [key, value] of this.#entries) if (value === entry) this.#entries.delete(key);
    entry.load.cancel();
    const leaving: Promise<void> = this.#free(entry).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    await leaving;
  }

  async #free(entry: Entry): Promise<void> {
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
      if (isUnused(next)) void this.#unload(next, "idle").then(() => this.#scheduleIdleCheck());
    }, waitMs);
  }
}

function isUnused({ users, holds }: Entry): boolean {
  return users === 0 && holds === 0;
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
