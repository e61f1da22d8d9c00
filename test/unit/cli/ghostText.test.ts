import { describe, expect, it } from "vitest";
import { GhostText } from "../../../src/cli/ghostText.ts";

/** What is on the screen of a terminal of endless width after these writes. */
function screen(isTerminal: boolean, act: (ghost: GhostText) => void): string {
  const written: string[] = [];
  const out = { write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  act(new GhostText(out, isTerminal));
  return written.join("");
}

describe("GhostText", () => {
  it("shows the text dimmed between the lines around the cursor", () => {
    const shown = screen(true, (ghost) => {
      ghost.begin("a = 1\nb = ", "\nc = 3\n");
      ghost.grow("2");
      ghost.end({ text: "2", replaceAfter: 0 });
    });
    expect(shown).toBe("a = 1\nb = \u001b[2m2\u001b[22m\nc = 3\n\n");
  });

  it("rewrites what post-processing changed, from the line of the cursor on", () => {
    const shown = screen(true, (ghost) => {
      ghost.begin("x = f(", ")\n");
      ghost.grow("a))\nrest");
      ghost.end({ text: "a)", replaceAfter: 1 });
    });
    expect(shown).toContain("\u001b[1A\r\u001b[Jx = f(\u001b[2ma)\u001b[22m\n");
  });

  it("marks the text where there is no terminal", () => {
    const shown = screen(false, (ghost) => {
      ghost.begin("b = ", "\n");
      ghost.end({ text: "2", replaceAfter: 0 });
    });
    expect(shown).toBe("b = ⟦2⟧\n\n");
  });
});
