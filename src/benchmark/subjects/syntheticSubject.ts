// The shape of a model with weights made on the spot as a subject.
import type { Engine } from "../../engine/engine.ts";
import type {
  Generation,
  GenerationRequest,
  Objection,
  OnOpening,
  Subject,
  SubjectFacts,
  SyntheticSubject,
} from "../subject.ts";
import { EngineSubject } from "./engineSubject.ts";
import { type Recipe, recipeOf, type SyntheticFiles } from "./syntheticFiles.ts";

export class MeasuredShape implements Subject {
  readonly definition: SyntheticSubject;
  readonly #engine: Engine;
  readonly #files: SyntheticFiles;
  readonly #recipe: Recipe;
  /** null: the file is not written. */
  #inner: EngineSubject | null = null;

  constructor(definition: SyntheticSubject, engine: Engine, files: SyntheticFiles) {
    this.definition = definition;
    this.#engine = engine;
    this.#files = files;
    this.#recipe = recipeOf(definition);
  }

  async open(onProgress: OnOpening, signal: AbortSignal): Promise<SubjectFacts> {
    this.#inner ??= await this.#make(onProgress, signal);
    const facts = await this.#inner.open(onProgress, signal);
    const { parameterCount } = await this.#files.describe(recipeOf({ ...this.definition, part: null }), signal);
    return { ...facts, parameterCount };
  }

  objection(request: GenerationRequest): Objection | null {
    return this.#opened().objection(request);
  }

  generate(request: GenerationRequest, signal: AbortSignal): Promise<Generation> {
    return this.#opened().generate(request, signal);
  }

  async unload(): Promise<void> {
    await this.#inner?.unload();
  }

  async close(): Promise<void> {
    if (!this.#inner) return;
    await this.#inner.close();
    this.#inner = null;
    await this.#files.release(this.#recipe);
  }

  async #make(onProgress: OnOpening, signal: AbortSignal): Promise<EngineSubject> {
    const onWrite = (fraction: number) => onProgress("writing random weights", fraction);
    const path = await this.#files.acquire(this.#recipe, onWrite, signal);
    const { definition } = this;
    const hash = async () => this.#files.hashOf(this.#recipe);
    return new EngineSubject({ definition, spec: { ...definition.spec, path }, engine: this.#engine, hash });
  }

  #opened(): EngineSubject {
    if (!this.#inner) throw new Error(`${this.definition.id} is not open`);
    return this.#inner;
  }
}
