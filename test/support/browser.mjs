// Finds and starts the browser that shows the editor.
import { existsSync } from "node:fs";
import { findOnPath } from "./tools.mjs";

const usualNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const usualPlaces = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Path of a Chromium or Chrome, or undefined. CHROMIUM names one. */
export function findChromium(env = process.env) {
  if (env.CHROMIUM) return existsSync(env.CHROMIUM) ? env.CHROMIUM : undefined;
  return findOnPath(usualNames, env) ?? usualPlaces.find((file) => existsSync(file));
}

/** A headless browser; the caller closes it. */
export async function launchChromium(executablePath) {
  const { chromium } = await import("playwright-core"); // Half a second to load: not for those who only look.
  const quiet = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
  ];
  // Chromium refuses to start its sandbox as root, which is what containers run as.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, headless: true, args: [...quiet, ...sandbox] });
}
