import path from "node:path";
import { formatDuration } from "../common/formatDuration.ts";
import type { Engine } from "../engine/engine.ts";
import { type LoadedModel, type ModelSpec, specKey } from "../protocol/model.ts";
import { ProgressLine } from "./progressLine.ts";

/** Loads a model; a terminal is shown how far that is. */
export async function loadShown(
  engine: Pick<Engine, "load" | "onDidChangeState">,
  spec: ModelSpec,
  signal: AbortSignal,
  line = new ProgressLine(process.stderr),
): Promise<LoadedModel> {
  const key = specKey(spec);
  const listening = engine.onDidChangeState((state) => {
    const model = state.kind === "running" ? state.models.get(key) : undefined;
    if (model?.phase !== "loading") return;
    const { fraction, remainingMs } = model;
    const left = remainingMs === null ? "" : `, ${formatDuration(remainingMs)} left`;
    line.say(`Loading ${path.basename(spec.path)}, ${Math.floor(100 * fraction)} %${left}`);
  });
  try {
    return await engine.load(spec, signal);
  } finally {
    listening.dispose();
    line.clear();
  }
}
