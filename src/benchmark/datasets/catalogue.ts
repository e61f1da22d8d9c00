// The public data sets that suites use: where they are published and what they are. None is part of Hotpath.
import { AppError } from "../../common/errors.ts";
import { readExemplars } from "./exemplars.ts";
import {
  type Exemplar,
  type InfillingProblem,
  type Problem,
  readInfillingProblems,
  readProblems,
  readWordProblems,
  type WordProblem,
} from "./rows.ts";

export interface DatasetDefinition<Row = unknown> {
  /** As in `--dataset NAME=FILE`. */
  readonly name: string;
  readonly title: string;
  /** Owner and name on GitHub. */
  readonly repository: string;
  /** Commit or release. */
  readonly revision: string;
  readonly path: string;
  readonly licence: string;
  /** Of the file as published. */
  readonly bytes: number;
  /** Of its text. */
  readonly sha256: string;
  /** Of the file as published where that is packed, null where the file is the text. */
  readonly packedSha256: string | null;
  readonly rows: number;
  /** Throws `dataset/invalid`; `source` names the file in its message. */
  readonly read: (text: string, source: string) => readonly Row[];
}

const infilling = {
  repository: "openai/human-eval-infilling",
  revision: "88062ff9859c875d04db115b698ed4b0f0395170",
  licence: "MIT",
  read: readInfillingProblems,
} as const;

const gradeSchoolMath = {
  repository: "openai/grade-school-math",
  revision: "3101c7d5072418e28b9008a6636bde82a006892c",
  licence: "MIT",
  packedSha256: null,
  read: readWordProblems,
} as const;

export const humanEval: DatasetDefinition<Problem> = {
  name: "humaneval",
  title: "HumanEval",
  repository: "openai/human-eval",
  revision: "6d43fb980f9fee3c892a914eda09951f772ad10d",
  path: "data/HumanEval.jsonl.gz",
  licence: "MIT",
  bytes: 44_877,
  sha256: "1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2",
  packedSha256: "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
  rows: 164,
  read: readProblems,
};

export const singleLineInfilling: DatasetDefinition<InfillingProblem> = {
  ...infilling,
  name: "infill-single",
  title: "HumanEval infilling, single line",
  path: "data/HumanEval-SingleLineInfilling.jsonl.gz",
  bytes: 75_058,
  sha256: "6fffc71ec2f1674372fcc177511f92312f1a27a9eacd8e43255c9f5ee9eca8c8",
  packedSha256: "1277073e7ddce163ef68598c2bca777f688a53df99422f097e37362090f88e1f",
  rows: 1_033,
};

export const multiLineInfilling: DatasetDefinition<InfillingProblem> = {
  ...infilling,
  name: "infill-multi",
  title: "HumanEval infilling, several lines",
  path: "data/HumanEval-MultiLineInfilling.jsonl.gz",
  bytes: 170_082,
  sha256: "5b49f312f0a781420a4ae54f5e73176009b9cfc52731e3a0b9be726b451032d1",
  packedSha256: "2f341612eee1d35da1357a4f365e0c0b3ba6e2b62eb491e88aaefa4855af0349",
  rows: 5_815,
};

export const gsm8kTest: DatasetDefinition<WordProblem> = {
  ...gradeSchoolMath,
  name: "gsm8k",
  title: "GSM8K, test rows",
  path: "grade_school_math/data/test.jsonl",
  bytes: 749_738,
  sha256: "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
  rows: 1_319,
};

export const gsm8kTrain: DatasetDefinition<WordProblem> = {
  ...gradeSchoolMath,
  name: "gsm8k-train",
  title: "GSM8K, train rows",
  path: "grade_school_math/data/train.jsonl",
  bytes: 4_166_206,
  sha256: "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
  rows: 7_473,
};

export const chainOfThoughtExemplars: DatasetDefinition<Exemplar> = {
  name: "gsm8k-cot-examples",
  title: "GSM8K, chain-of-thought examples",
  repository: "EleutherAI/lm-evaluation-harness",
  revision: "v0.4.13",
  path: "lm_eval/tasks/gsm8k/gsm8k-cot.yaml",
  licence: "MIT",
  bytes: 3_324,
  sha256: "7c9dd2561fe334a55f62bdc6a876f045e6dc7f53714c7a9db506b89c6de6bc96",
  packedSha256: null,
  rows: 8,
  read: readExemplars,
};

export const datasets: readonly DatasetDefinition[] = [
  humanEval,
  singleLineInfilling,
  multiLineInfilling,
  gsm8kTest,
  gsm8kTrain,
  chainOfThoughtExemplars,
];

export function findDataset(name: string): DatasetDefinition {
  const found = datasets.find((dataset) => dataset.name === name);
  if (found) return found;
  const names = datasets.map((dataset) => dataset.name).join(", ");
  throw new AppError("request/invalid", `there is no data set "${name}"; known are ${names}`);
}
