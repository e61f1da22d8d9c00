// The page of the benchmark panel: takes messages of the extension host, draws what they change, sends what the user does.
import type { FromPage, Tab, ToPage } from "../protocol.ts";
import { initialState, type PageState, reduce } from "../state.ts";
import { dismissButton, make, setText, show } from "./dom.ts";
import { FrameQueue } from "./frames.ts";
import { HistoryView } from "./historyView.ts";
import { firstPreferences, type Preferences } from "./preferences.ts";
import { Programs } from "./programs.ts";
import { ResultsView } from "./resultsView.ts";
import { ResumeOffer } from "./resumeOffer.ts";
import { RunBanner } from "./runBanner.ts";
import { StartView } from "./startView.ts";
import { Tabs } from "./tabs.ts";
import { onThemeChange } from "./theme.ts";

/** Given by the editor to every page of a panel. */
declare function acquireVsCodeApi(): {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: Preferences): void;
};

const editor = acquireVsCodeApi();
const frames = new FrameQueue();
const send = (message: FromPage) => editor.postMessage(message);

let state = initialState;
let preferences: Preferences = { ...firstPreferences, ...(editor.getState() as Partial<Preferences> | undefined) };

const prefer = (part: Partial<Preferences>) => {
  preferences = { ...preferences, ...part };
  editor.setState(preferences);
  draw();
};
const start = new StartView(send, draw);
const banner = new RunBanner(send);
const change = (part: Partial<PageState>) => {
  state = { ...state, ...part };
  draw();
};
const results = new ResultsView({ send, prefer, frames, endComparison: () => change({ comparison: null }) });
const offer = new ResumeOffer({
  consent: () => start.consent,
  allow: (consent) => start.allow(consent),
  resume: (runId) => send({ type: "resume", runId, consent: start.consent }),
});
const history = new HistoryView(send, (runId) => offer.take(runId));
const programs = new Programs(send);
const noticeText = make("p", { class: "what", role: "alert" });
const dismiss = dismissButton(() => change({ notice: null }));
const notice = make("div", { class: "notice" }, noticeText, dismiss);
const choose = (tab: Tab) => {
  state = reduce(state, { type: "show", tab }, start.draftId);
  draw();
};
const tabs = new Tabs(
  [
    { id: "start", label: "New run", panel: start.element },
    { id: "results", label: "Results", panel: results.element },
    { id: "history", label: "History", panel: history.element },
  ],
  choose,
);
// What is told stays in sight, wherever in a long page the user asked for it.
const head = make("div", { class: "head" }, tabs.element, notice);
document.body.append(make("main", {}, head, banner.element, offer.element, ...tabs.panels));

function draw(): void {
  frames.request("page", () => {
    tabs.update(state.tab);
    banner.update(state.live);
    show(notice, state.notice !== null);
    setText(noticeText, state.notice?.text ?? "");
    notice.classList.toggle("error", state.notice?.kind === "error");
    start.update(state);
    offer.update(state); // After the form, whose word on running code it shows.
    history.update(state);
    if (state.tab === "results") results.update(state, preferences);
  });
}

function receive(message: ToPage): void {
  switch (message.type) {
    case "sandboxStart":
    case "program":
    case "programCancel":
    case "sandboxStop":
      programs.receive(message);
      return;
    default: {
      state = reduce(state, message, start.draftId);
      const runId = state.view?.runId ?? null;
      if (runId !== preferences.runId) {
        preferences = { ...preferences, runId };
        editor.setState(preferences);
      }
      draw();
    }
  }
}

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => receive(data));
onThemeChange(() => results.redraw());
send({ type: "hello", runId: preferences.runId });
draw();
