// Counts for `npm test`, with the reason of each test that was skipped: the note of `context.skip`, or `meta.reason`
// beside `runIf`. Vitest's own reporters leave the notes out.
import { writeFileSync } from "node:fs";

export default class CountsReporter {
  #file = "";

  onInit({ config }) {
    this.#file = config.outputFile;
  }

  onTestRunEnd(modules) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (...states) => tests.filter((test) => states.includes(test.result().state));
    const skipped = ended("skipped", "pending").map((test) => ({
      name: test.fullName,
      reason: test.result().note ?? test.meta().reason ?? "it does not say why",
    }));
    writeFileSync(
      this.#file,
      JSON.stringify({ passed: ended("passed").length, failed: ended("failed").length, skipped }),
    );
  }
}
