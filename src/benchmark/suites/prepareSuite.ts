import { AppError } from "../../common/errors.ts";
import {
  chainOfThoughtExemplars,
  type DatasetDefinition,
  gsm8kTest,
  gsm8kTrain,
  humanEval,
  multiLineInfilling,
  singleLineInfilling,
} from "../datasets/catalogue.ts";
import type { DatasetStore } from "../datasets/datasetStore.ts";
import type { PreparedSuite, SuiteChoice, SuiteId } from "../suite.ts";
import { prepareChainOfThought, prepareFewShot } from "./gsm8k/gsm8k.ts";
import { prepareHumanEval } from "./humanEval/humanEval.ts";
import { prepareInfilling } from "./infilling/infilling.ts";
import { prepareKeystrokes } from "./keystrokes/keystrokes.ts";
import { prepareLatency } from "./latency/latency.ts";
import { prepareSizes } from "./sizes/sizes.ts";
import { prepareStarter } from "./starter/starter.ts";

export interface SuiteDeps {
  readonly datasets: DatasetStore;
  /** Holds `media`, where what ships with Hotpath lies. */
  readonly productFolder: string;
}

interface SuiteMaker {
  /** What has to be on the machine first. */
  readonly datasets: readonly DatasetDefinition[];
  readonly prepare: (choice: SuiteChoice, deps: SuiteDeps) => Promise<PreparedSuite>;
}

const suites: Readonly<Record<SuiteId, SuiteMaker>> = {
  latency: { datasets: [], prepare: (choice, { productFolder }) => prepareLatency(choice, productFolder) },
  sizes: { datasets: [], prepare: (choice, { productFolder }) => prepareSizes(choice, productFolder) },
  starter: { datasets: [], prepare: (choice, { productFolder }) => prepareStarter(choice, productFolder) },
  keystrokes: { datasets: [], prepare: (choice, { productFolder }) => prepareKeystrokes(choice, productFolder) },
  humaneval: { datasets: [humanEval], prepare: (choice, { datasets }) => prepareHumanEval(choice, datasets) },
  "infill-single": {
    datasets: [singleLineInfilling],
    prepare: (choice, { datasets }) => prepareInfilling("single", choice, datasets),
  },
  "infill-multi": {
    datasets: [multiLineInfilling],
    prepare: (choice, { datasets }) => prepareInfilling("multi", choice, datasets),
  },
  "gsm8k-cot": {
    datasets: [gsm8kTest, chainOfThoughtExemplars],
    prepare: (choice, { datasets }) => prepareChainOfThought(choice, datasets),
  },
  "gsm8k-5shot": {
    datasets: [gsm8kTest, gsm8kTrain],
    prepare: (choice, { datasets }) => prepareFewShot(choice, datasets),
  },
};

/** Rejects with `request/invalid` for what a suite does not know, `dataset/unavailable` for what is not there. */
export async function prepareSuite(choice: SuiteChoice, deps: SuiteDeps): Promise<PreparedSuite> {
  return makerOf(choice.id).prepare(choice, deps);
}

/** The data sets a suite needs, to be fetched once the user agrees. */
export function datasetsOf(id: SuiteId): readonly DatasetDefinition[] {
  return makerOf(id).datasets;
}

function makerOf(id: SuiteId): SuiteMaker {
  const maker = suites[id];
  if (maker) return maker;
  throw new AppError("request/invalid", `there is no suite "${id}"; known are ${Object.keys(suites).join(", ")}`);
}
