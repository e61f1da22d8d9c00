// Takes a run out of the panel: as a report, as samples, as pictures, as a bundle that others can verify.

import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { env, Uri, window, workspace } from "vscode";
import type { RunRecord } from "../../benchmark/record/entries.ts";
import { recordFile, runFolder } from "../../benchmark/record/runs.ts";
import { writeBundle } from "../../benchmark/report/bundle.ts";
import type { LatencyName } from "../../benchmark/report/charts/summaryPoints.ts";
import { chartThemes } from "../../benchmark/report/charts/theme.ts";
import { renderCsv } from "../../benchmark/report/csv.ts";
import { renderMarkdown } from "../../benchmark/report/markdown.ts";
import { reportPictures } from "../../benchmark/report/pictures.ts";
import { summarize } from "../../benchmark/report/summary.ts";
import { AppError } from "../../common/errors.ts";
import type { ExportFormat } from "../../panel/protocol.ts";

type FileFormat = Exclude<ExportFormat, "bundle" | "svg">;

const texts: Readonly<Record<FileFormat, (record: RunRecord) => Promise<string>>> = {
  markdown: async (record) => renderMarkdown(summarize(record)),
  csv: async (record) => renderCsv(record),
  html: async (record) => (await import("../../benchmark/report/drawn.ts")).renderHtmlReport(record),
};

const extensions: Readonly<Record<FileFormat, string>> = { markdown: "md", csv: "csv", html: "html" };

/** Asks where to. Resolves with what was written, or null when the user changed their mind. */
export async function exportRun(record: RunRecord, format: ExportFormat, figure: LatencyName): Promise<Uri | null> {
  if (format === "bundle") return exportBundle(record);
  if (format === "svg") return exportPictures(record, figure);
  const extension = extensions[format];
  const defaultUri = Uri.file(path.join(startFolder(), `hotpath-${record.run.runId}.${extension}`));
  const target = await window.showSaveDialog({ defaultUri, filters: { [format]: [extension] } });
  if (!target) return null;
  await write(target.fsPath, await texts[format](record));
  void offerToOpen(target, format === "html");
  return target;
}

async function exportPictures(record: RunRecord, figure: LatencyName): Promise<Uri | null> {
  const pictures = reportPictures(record, summarize(record), figure);
  if (pictures.length === 0) throw new AppError("request/invalid", "this run has nothing to draw yet");
  const folder = await chooseFolder("Save the Pictures Here");
  if (!folder) return null;
  const { renderSvg } = await import("../../benchmark/report/drawn.ts");
  for (const { name, size, option } of pictures) {
    const file = path.join(folder.fsPath, `hotpath-${record.run.runId}-${name}.svg`);
    await write(file, renderSvg(option(chartThemes.light), size));
  }
  window.showInformationMessage(`Hotpath: ${pictures.length} pictures are in ${folder.fsPath}.`);
  return folder;
}

async function exportBundle(record: RunRecord): Promise<Uri | null> {
  const parent = await chooseFolder("Make the Bundle Here");
  if (!parent) return null;
  const { runId } = record.run;
  const folder = path.join(parent.fsPath, `hotpath-${runId}`);
  await writeBundle(folder, recordFile(runFolder(runId)));
  window.showInformationMessage(`Hotpath: the bundle is in ${folder}. "hotpath verify" checks it on any machine.`);
  return Uri.file(folder);
}

async function chooseFolder(openLabel: string): Promise<Uri | undefined> {
  const chosen = await window.showOpenDialog({
    openLabel,
    canSelectFiles: false,
    canSelectFolders: true,
    defaultUri: Uri.file(startFolder()),
  });
  return chosen?.[0];
}

function startFolder(): string {
  const [first] = workspace.workspaceFolders ?? [];
  return first?.uri.scheme === "file" ? first.uri.fsPath : homedir();
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new AppError("file/unwritable", `${file}: ${(cause as Error).message}`, { file }, cause);
  }
}

/** Pages are for a browser, texts for the editor. */
async function offerToOpen(target: Uri, isPage: boolean): Promise<void> {
  const open = "Open";
  if ((await window.showInformationMessage(`Hotpath: saved ${target.fsPath}.`, open)) !== open) return;
  if (isPage) await env.openExternal(target);
  else await window.showTextDocument(target);
}
