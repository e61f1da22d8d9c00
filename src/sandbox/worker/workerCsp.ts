/**
 * What a page's content security policy must say for the workers, beside `default-src 'none'` and its own scripts. Nothing
 * else may be added to these two, and no `connect-src`: the workers inherit all of it. Of a data: URL, a worker has an
 * origin of its own; of a blob: URL it would share the page's, so the policy allows none.
 */
export const workerCsp = { "script-src": "'wasm-unsafe-eval'", "worker-src": "data:" } as const;
