// The colours of the charts. Methods keep their hue in every theme, are told apart by colour-blind readers (after Okabe and
// Ito) and carry a symbol besides, so that a picture can be read without colours.
import type { Method } from "../../subject.ts";
import type { SeriesMode } from "./points.ts";

export type ThemeKind = "light" | "dark" | "contrast-dark" | "contrast-light";

export interface ChartTheme {
  readonly background: string;
  readonly foreground: string;
  /** Axis names, the Pareto front. */
  readonly muted: string;
  readonly gridLine: string;
  readonly fontFamily: string;
  readonly methods: Readonly<Record<Method, string>>;
}

const fontFamily = "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif";

export const chartThemes: Readonly<Record<ThemeKind, ChartTheme>> = {
  light: {
    background: "#ffffff",
    foreground: "#1f2328",
    muted: "#59636e",
    gridLine: "#d9dee3",
    fontFamily,
    methods: { dense: "#0067a3", "hot/cold": "#c24a00", GPTQ: "#007a58", SparseGPT: "#a8447f", server: "#5a5a5b" },
  },
  dark: {
    background: "#1f1f1f",
    foreground: "#d6d6d7",
    muted: "#9d9d9e",
    gridLine: "#3a3a3b",
    fontFamily,
    methods: { dense: "#56b4e9", "hot/cold": "#f5a623", GPTQ: "#2fbf94", SparseGPT: "#dd8fb9", server: "#b8b8b9" },
  },
  "contrast-dark": {
    background: "#000000",
    foreground: "#fffffe",
    muted: "#e0e0e1",
    gridLine: "#6f6f70",
    fontFamily,
    methods: { dense: "#6cc7ff", "hot/cold": "#ffb000", GPTQ: "#35e0ac", SparseGPT: "#ff9fd2", server: "#f0f0f1" },
  },
  "contrast-light": {
    background: "#fffffd",
    foreground: "#000001",
    muted: "#292929",
    gridLine: "#8f8f90",
    fontFamily,
    methods: { dense: "#00487a", "hot/cold": "#8f3500", GPTQ: "#00553c", SparseGPT: "#7d1f5a", server: "#3a3a3b" },
  },
};

export const methodSymbols: Readonly<Record<Method, string>> = {
  dense: "circle",
  "hot/cold": "triangle",
  GPTQ: "rect",
  SparseGPT: "diamond",
  server: "path://M4,0h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
};

/** Modes of hot/cold share its hue. */
export const modeSymbols: Readonly<Record<NonNullable<SeriesMode>, string>> = {
  exact: methodSymbols["hot/cold"],
  predicted: "path://M0,0h12l-6,11z",
  threshold: "arrow",
};

export const modeOrder: readonly SeriesMode[] = [null, "exact", "predicted", "threshold"];

/** Their order in legends and tables. */
export const methodOrder: readonly Method[] = ["dense", "hot/cold", "GPTQ", "SparseGPT", "server"];
