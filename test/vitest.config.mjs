import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Engine tests start processes and measure silence; two at once on two cores would disturb each other.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
