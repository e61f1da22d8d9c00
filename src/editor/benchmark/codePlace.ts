// Where programs of models run in the editor, and what the user agreed to about it.
import type { SandboxAccess } from "../../benchmark/run/scoring.ts";
import type { CodeOffer, Consent } from "../../panel/protocol.ts";
import { readWorkerAssets } from "../../sandbox/workerAssets.ts";
import type { Memory } from "./controller.ts";
import { createPanelSandbox, type PageLink } from "./panelSandbox.ts";

const consentKey = "benchmarkConsent";

export class CodePlace {
  readonly #link: PageLink;
  readonly #folder: string;
  readonly #memory: Memory;
  /** Why isolation is reduced here, once a run has found that out. */
  #reduced: string | null = null;

  /** `folder`: dist/ of the product. */
  constructor(link: PageLink, folder: string, memory: Memory) {
    this.#link = link;
    this.#folder = folder;
    this.#memory = memory;
  }

  get consent(): Consent {
    const kept = this.#memory.get(consentKey);
    return kept === "full" || kept === "reduced" ? kept : "none";
  }

  get offer(): CodeOffer {
    if (this.#reduced !== null) return { level: "reduced", detail: this.#reduced, consent: this.consent };
    const detail =
      "Each program runs in a worker of this panel with a Python of its own: no network, no files, at most 10 s and 1 GB. " +
      "The panel stays open for that; what holds the worker is tried before the first program.";
    return { level: "full", detail, consent: this.consent };
  }

  async remember(consent: Consent): Promise<void> {
    await this.#memory.update(consentKey, consent);
  }

  access(consent: "full" | "reduced"): SandboxAccess {
    const options = {
      link: this.#link,
      allowReduced: consent === "reduced",
      readAssets: () => readWorkerAssets(this.#folder),
      onReduced: (message: string) => {
        this.#reduced = message;
      },
    };
    return { consent, create: (signal) => createPanelSandbox(options, signal) };
  }
}
