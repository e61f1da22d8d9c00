// What the user chose about the looks; the editor keeps it for the panel.

import type { LatencyName } from "../../benchmark/report/charts/summaryPoints.ts";
import type { SuiteId } from "../../benchmark/suite.ts";
import { firstSorting } from "../table.ts";
import type { TableChoice } from "./resultTable.ts";

export interface Preferences {
  readonly latency: LatencyName;
  /** Suite of the quality picture; null: the first there is. */
  readonly quality: SuiteId | null;
  readonly table: TableChoice;
  readonly budgetMs: number;
  /** The run that was shown. */
  readonly runId: string | null;
}

export const firstPreferences: Preferences = {
  latency: "e2e25Ms",
  quality: null,
  table: { sorting: firstSorting, columns: null },
  budgetMs: 300,
  runId: null,
};
