// The editor's theme as the charts need it.
import { type ChartTheme, chartThemes, type ThemeKind } from "../../benchmark/report/charts/theme.ts";

/**
 * Surfaces and text are the editor's own; the methods keep their colours, which are made for such surfaces. So do grids
 * and what lies behind the points where contrast is high: there the editor draws its guides as strongly as its text.
 */
export function pageTheme(): ChartTheme {
  const kind = themeKind();
  const fixed = chartThemes[kind];
  const style = getComputedStyle(document.documentElement);
  const variable = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  return {
    background: variable("--vscode-editor-background", fixed.background),
    foreground: variable("--vscode-editor-foreground", fixed.foreground),
    fontFamily: variable("--vscode-font-family", fixed.fontFamily),
    methods: fixed.methods,
    ...(kind === "contrast-dark" || kind === "contrast-light"
      ? { muted: fixed.muted, gridLine: fixed.gridLine }
      : {
          muted: variable("--vscode-descriptionForeground", fixed.muted),
          gridLine: variable("--vscode-editorIndentGuide-background1", fixed.gridLine),
        }),
  };
}

function themeKind(): ThemeKind {
  const classes = document.body.classList;
  if (classes.contains("vscode-high-contrast-light")) return "contrast-light";
  if (classes.contains("vscode-high-contrast")) return "contrast-dark";
  return classes.contains("vscode-light") ? "light" : "dark";
}

/** The editor changes the classes of the body and the variables on the root element. */
export function onThemeChange(listener: () => void): void {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
}
