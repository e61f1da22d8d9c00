import { buffer } from "node:stream/consumers";
import yauzl from "yauzl";

/**
 * The files of a zip archive with their contents.
 * @param {string} file
 * @returns {Promise<Map<string, Buffer>>}
 */
export async function readZip(file) {
  const archive = await yauzl.openPromise(file);
  const contents = new Map();
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith("/")) continue;
    contents.set(entry.fileName, await buffer(await archive.openReadStreamPromise(entry)));
  }
  return contents;
}
