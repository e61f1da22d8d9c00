// Servers of others that are measured, too.
import type { ServerApi } from "../../benchmark/subject.ts";
import type { ServerDraft } from "../protocol.ts";
import { button, field, make, Select, show } from "./dom.ts";

const apis: readonly { value: ServerApi; label: string }[] = [
  { value: "openai", label: "OpenAI-compatible" },
  { value: "llama-server", label: "llama-server" },
  { value: "ollama", label: "Ollama" },
];

export class ServerList {
  readonly element: HTMLElement;
  readonly #rows = make("ul", { class: "plain" });
  readonly #url;
  readonly #onChange: (servers: readonly ServerDraft[]) => void;
  #servers: readonly ServerDraft[] = [];
  #api: ServerApi = "openai";

  constructor(onChange: (servers: readonly ServerDraft[]) => void) {
    this.#onChange = onChange;
    const api = new Select("Kind of server", (value) => {
      this.#api = value as ServerApi;
    });
    api.update(apis, this.#api);
    const onUrl = () => {
      show(wrong, false);
      onChange(this.#servers);
    };
    const url = field("Address", "", onUrl, { class: "address", placeholder: "http://127.0.0.1:8080" });
    this.#url = url;
    const model = field("Model", "", () => {}, { placeholder: "model, if several" });
    const wrong = make(
      "p",
      { class: "problem", role: "alert", hidden: true },
      "An address starts with http:// or https://.",
    );
    const add = () => {
      const isAddress = /^https?:\/\/\S+$/.test(url.value.trim());
      show(wrong, !isAddress);
      if (!isAddress) return;
      const server = { api: this.#api, url: url.value.trim(), model: model.value.trim() };
      url.value = "";
      model.value = "";
      this.#set([...this.#servers, server]);
    };
    for (const input of [url, model]) input.addEventListener("keydown", ({ key }) => key === "Enter" && add());
    const row = make("div", { class: "row" }, api.element, url, model, button("Add", add, { secondary: true }));
    this.element = make("div", {}, this.#rows, row, wrong);
  }

  /** An address stands in its field that was not added. */
  get isPending(): boolean {
    return this.#url.value.trim() !== "";
  }

  #set(servers: readonly ServerDraft[]): void {
    this.#servers = servers;
    const rows = servers.map((server) => {
      const name = `${server.url}${server.model === "" ? "" : ` ${server.model}`} (${server.api})`;
      const remove = () => {
        this.#set(this.#servers.filter((other) => other !== server));
        this.#url.focus(); // The button that had the focus is gone.
      };
      return make("li", {}, name, button("Remove", remove, { secondary: true, "aria-label": `Remove ${name}` }));
    });
    this.#rows.replaceChildren(...rows);
    this.#onChange(servers);
  }
}
