import path from "node:path";

/** The model that ships with Hotpath. A better one will replace it under the same name. */
export function starterModelPath(productFolder: string): string {
  return path.join(productFolder, "media", "starter", "starter-nano-q8_0.gguf");
}

/** Said wherever a user meets the starter model. */
export const starterModelLimits =
  "a tiny demo model (5 million parameters): it shows that everything works, one line at a time, and is often wrong. " +
  "For real work choose a code model of 0.5B to 7B parameters.";

/** The same in one phrase, where there is little room. */
export const starterDescription = "tiny demo model, one line at most; choose a 0.5B–7B code model for real work";
