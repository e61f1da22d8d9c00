import path from "node:path";
import type { Engine } from "../../engine/engine.ts";
import { starterModelPath } from "../../models/starterModel.ts";
import type { Subject, SubjectDefinition } from "../subject.ts";
import { EngineSubject } from "./engineSubject.ts";
import { fileSha256 } from "./fileHash.ts";
import { createServerSubject } from "./serverSubject.ts";
import { SyntheticFiles } from "./syntheticFiles.ts";
import { MeasuredShape } from "./syntheticSubject.ts";

export interface SubjectSources {
  readonly engine: Engine;
  readonly productFolder: string;
  /** Where hashes and synthetic weights lie. */
  readonly folder: string;
}

/** Makes the subjects of one run, which share files. */
export function subjectFactory({ engine, productFolder, folder }: SubjectSources) {
  const files = new SyntheticFiles(engine, path.join(folder, "synthetic"), starterModelPath(productFolder));
  return (definition: SubjectDefinition): Subject => {
    switch (definition.kind) {
      case "server":
        return createServerSubject(definition);
      case "synthetic":
        return new MeasuredShape(definition, engine, files);
      case "model": {
        const { spec } = definition;
        const hash = (file: string, onProgress: (fraction: number) => void, signal: AbortSignal) =>
          fileSha256(file, folder, onProgress, signal);
        return new EngineSubject({ definition, spec, engine, hash });
      }
    }
  };
}
