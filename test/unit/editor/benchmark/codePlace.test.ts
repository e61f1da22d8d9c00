import { describe, expect, it } from "vitest";
import { CodePlace } from "../../../../src/editor/benchmark/codePlace.ts";
import type { PageLink } from "../../../../src/editor/benchmark/panelSandbox.ts";

function codePlace(): CodePlace {
  const kept = new Map<string, string | undefined>();
  const memory = {
    get: (key: string) => kept.get(key),
    update: async (key: string, value: string | undefined) => void kept.set(key, value),
  };
  return new CodePlace({} as PageLink, "dist", memory); // Nothing is run here.
}

describe("the consent to running code of models", () => {
  it("is remembered, and can be withdrawn", async () => {
    const code = codePlace();
    expect(code.consent).toBe("none");
    await code.remember("full");
    expect(code.offer.consent).toBe("full");
    await code.remember("none");
    expect(code.consent).toBe("none");
    expect(code.offer.consent).toBe("none");
  });
});
