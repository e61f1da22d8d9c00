import "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why a test with `runIf` does not run here, for `npm test`. */
    reason?: string;
  }
}
