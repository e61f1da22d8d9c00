// A process that writes a record until it is killed, or until the disk is full: it then tries three times and tells how
// each attempt ended. Arguments: the folder, the number of lines.
import { RecordWriter } from "../../src/benchmark/record/recordWriter.ts";
import { progressOf } from "../../src/benchmark/record/resume.ts";
import { exampleOutput, exampleRun } from "./benchmarkRecord.ts";

async function write(folder: string, lines: number): Promise<void> {
  const isFirst = process.argv[4] !== "resume";
  let next = 0;
  let writer: RecordWriter;
  if (isFirst) writer = await RecordWriter.create(folder, exampleRun);
  else {
    const resumed = await RecordWriter.resume(folder);
    writer = resumed.writer;
    next = progressOf(resumed.record).doneCount;
  }
  const failures: string[] = [];
  for (let repetition = next; repetition < next + lines && failures.length < 3; repetition++) {
    const text = "x".repeat((repetition * 37) % 300);
    try {
      await writer.append(exampleOutput({ suite: "starter", repetition, text }));
      process.stdout.write(`${repetition}\n`);
    } catch (error) {
      failures.push((error as { code: string }).code);
    }
  }
  process.stdout.write(`${JSON.stringify(failures)}\n`);
  await writer.close();
}

void write(process.argv[2] ?? "", Number(process.argv[3]));
