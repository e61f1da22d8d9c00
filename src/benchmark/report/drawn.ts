// Reports with pictures. The charts are large: this file is a bundle of its own, loaded when somebody wants a picture.
export { renderHtmlReport } from "./html.ts";
export { renderSvg } from "./svg.ts";
