// The pipeline with the engine, the clock and the timer it is to use.
import { wait } from "../common/wait.ts";
import { CompletionPipeline } from "../completion/pipeline.ts";
import type { Engine } from "../engine/engine.ts";
import type { Activity } from "./activity.ts";
import type { ModelSession } from "./modelSession.ts";

export function createPipeline(engine: Engine, session: ModelSession, activity: Activity): CompletionPipeline {
  return new CompletionPipeline({
    generate: (params, onText, signal) => {
      const request = { documentId: params.sequenceKey, model: session.spec, priority: "completion" as const };
      return activity.track(engine.generate({ ...params, ...request }, onText, signal));
    },
    now: () => performance.now(),
    wait,
  });
}
