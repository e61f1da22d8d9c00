// Counts for `npm test`, with the reason of each test that was skipped: the note of `context.skip`, or `meta.reason`
// beside `runIf`. Vitest's own reporters leave the notes out. A test that does not run and does not say why has failed.
import { writeFileSync } from "node:fs";

export default class CountsReporter {
  #file = "";

  onInit({ config }) {
    this.#file = config.outputFile;
  }

  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (...states) => tests.filter((test) => states.includes(test.result().state));
    const left = ended("skipped", "pending").map((test) => ({
      name: test.fullName,
      reason: test.result().note ?? test.meta().reason,
    }));
    const skipped = left.filter(({ reason }) => reason !== undefined);
    const unexplained = left.filter(({ reason }) => reason === undefined);
    for (const { name } of unexplained) console.error(`did not run, and does not say why: ${name}`);
    const failed = ended("failed").length + unexplained.length;
    writeFileSync(this.#file, JSON.stringify({ passed: ended("passed").length, failed, skipped }));
  }
}
