// Answers what is asked before a model runs: how fast the machine is, which neurons are hot, where everything would go.
import type {
  MeasureAnswer,
  PlanAnswer,
  PlanParams,
  ProfileParams,
  ProfileProgress,
  ProfileSummary,
} from "../protocol/planning.ts";
import type { Addon } from "./addon.ts";
import type { Measurements } from "./measurements.ts";
import { checkSpec } from "./modelPool.ts";
import { taskResult } from "./taskResult.ts";

type PlanningAddon = Pick<Addon, "plan" | "profile" | "readProfile" | "mergeProfiles">;

export class Planning {
  readonly #addon: PlanningAddon;
  readonly #measurements: Pick<Measurements, "get" | "measure">;

  constructor(addon: PlanningAddon, measurements: Pick<Measurements, "get" | "measure">) {
    this.#addon = addon;
    this.#measurements = measurements;
  }

  measure(fresh: boolean): Promise<MeasureAnswer> {
    return fresh ? this.#measurements.measure() : this.#measurements.get();
  }

  async plan({ rates: given, gpu, ...params }: PlanParams): Promise<PlanAnswer> {
    const own = given ?? (await this.#measurements.get()).measurement.rates;
    const rates = { ...own, ...gpu };
    return { ...(await this.#addon.plan({ ...params, rates })), rates };
  }

  profile(
    { model, ...work }: ProfileParams,
    onProgress: (progress: ProfileProgress) => void,
    signal: AbortSignal,
  ): Promise<ProfileSummary> {
    checkSpec(model);
    const report = (tokens: number, totalTokens: number) => onProgress({ tokens, totalTokens });
    return taskResult(this.#addon.profile(model, work, report), signal);
  }

  readProfile(path: string): Promise<ProfileSummary> {
    return this.#addon.readProfile(path);
  }

  mergeProfiles(work: { readonly files: readonly string[]; readonly out: string }): Promise<ProfileSummary> {
    return this.#addon.mergeProfiles(work);
  }
}
