// The document of the panel: one script and one style sheet, both named by a nonce, and nothing else.
import { workerCsp } from "../sandbox/worker/workerCsp.ts";

export interface PanelDocument {
  /** Fresh for every document. */
  readonly nonce: string;
  readonly scriptUri: string;
  readonly styleUri: string;
}

/**
 * Programs that models wrote run in a worker of the page, which this policy binds as well: WebAssembly and data workers are
 * all that it may use; no network, no eval, no inline script or style.
 */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${workerCsp["script-src"]}`,
    `style-src 'nonce-${nonce}'`,
    `worker-src ${workerCsp["worker-src"]}`,
    "connect-src 'none'",
  ].join("; ");
}

export function panelHtml({ nonce, scriptUri, styleUri }: PanelDocument): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(nonce)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hotpath Benchmark</title>
<link rel="stylesheet" nonce="${nonce}" href="${styleUri}">
</head>
<body>
<script nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>
`;
}
