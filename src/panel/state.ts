// What the page knows, and how each message of the host changes it.
import type { LiveRun, RunEstimate, RunListEntry, StartChoices, Tab, ToPage, UnreadableEntry } from "./protocol.ts";
import type { RunView } from "./runView.ts";

export interface PageState {
  readonly tab: Tab;
  readonly choices: StartChoices | null;
  readonly estimate: RunEstimate | null;
  readonly live: LiveRun | null;
  readonly runs: readonly RunListEntry[];
  readonly unreadable: readonly UnreadableEntry[];
  /** A run that ended with its window and can go on. */
  readonly interrupted: string | null;
  /** The run whose results are shown. */
  readonly view: RunView | null;
  /** The run it is compared with. */
  readonly comparison: RunView | null;
  readonly recommendation: { readonly subject: string | null; readonly text: string } | null;
  readonly notice: { readonly kind: "info" | "error"; readonly text: string } | null;
}

export const initialState: PageState = {
  tab: "start",
  choices: null,
  estimate: null,
  live: null,
  runs: [],
  unreadable: [],
  interrupted: null,
  view: null,
  comparison: null,
  recommendation: null,
  notice: null,
};

/** Messages for the place where programs run change nothing that is shown. */
export type ShownMessage = Exclude<ToPage, { type: "sandboxStart" | "program" | "programCancel" | "sandboxStop" }>;

/** `draftId`: of the draft whose estimate is awaited; an answer to an older one is out of date. */
export function reduce(state: PageState, message: ShownMessage, draftId: number): PageState {
  switch (message.type) {
    case "choices":
      return { ...state, choices: message.choices };
    case "estimate":
      return message.draftId === draftId ? { ...state, estimate: message.estimate } : state;
    case "live":
      return { ...state, live: message.run, interrupted: message.run ? null : state.interrupted };
    case "runs":
      return {
        ...state,
        runs: message.runs,
        unreadable: message.unreadable,
        ...withoutDeleted(state, message.runs),
      };
    case "interrupted":
      return { ...state, interrupted: message.runId };
    case "view": {
      const isSameRun = state.view?.runId === message.view.runId;
      return { ...state, view: message.view, ...(isSameRun ? {} : { comparison: null, recommendation: null }) };
    }
    case "comparison":
      return { ...state, comparison: message.view };
    case "recommendation": {
      const { runId, subject, text } = message;
      return state.view?.runId === runId ? { ...state, recommendation: { subject, text } } : state;
    }
    case "notice":
      return { ...state, notice: { kind: message.kind, text: message.text } };
    case "show":
      return { ...state, tab: message.tab, notice: null };
  }
}

function withoutDeleted({ view, comparison }: PageState, runs: readonly RunListEntry[]): Partial<PageState> {
  const isThere = (shown: RunView | null) => shown !== null && runs.some(({ runId }) => runId === shown.runId);
  return { view: isThere(view) ? view : null, comparison: isThere(comparison) ? comparison : null };
}
