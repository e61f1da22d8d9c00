/** Counts the checks of the editor tests and prints each as it ends. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = [];
  #log;

  constructor(log) {
    this.#log = log;
  }

  pass(name, ms) {
    this.passed++;
    this.#log(`  ok    ${name} (${(ms / 1000).toFixed(1)} s)`);
  }

  fail(name, error, context = "") {
    this.failed++;
    this.#log(`  FAIL  ${name}\n${error?.stack ?? error}${context && `\n${context}`}`);
  }

  skip(name, reason) {
    this.skipped.push({ name, reason });
    this.#log(`  skip  ${name}: ${reason}`);
  }
}
