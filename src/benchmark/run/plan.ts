// What a run does: who is measured by what. The whole of it stands in the record, so a run can be repeated from there.
import type { SubjectDefinition } from "../subject.ts";
import type { SuiteChoice } from "../suite.ts";

export interface RunPlan {
  readonly subjects: readonly SubjectDefinition[];
  readonly suites: readonly SuiteChoice[];
  /** Completions while typing go on during the run, ahead of it; false: the user paused them. */
  readonly completions: "ahead" | "paused";
}
