declare const PRODUCT_VERSION: string | undefined;

/** "1.2.3+build": set by esbuild.mjs, the build part changes with every change of the sources. */
export const productVersion: string = typeof PRODUCT_VERSION === "string" ? PRODUCT_VERSION : "0.0.0+source";

/** Below 0 when `a` is older than `b` by its numbers; builds of one version count as equal. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) =>
    (version.split("+")[0] ?? "").split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
