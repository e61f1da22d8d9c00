// How servers cut a streamed answer into JSON objects.

/**
 * Server-sent events (WHATWG HTML, section 9.2.6): the data of each event. Comments and other fields are left out. Of an
 * answer that is none of events, such as a page or one object, the first line.
 */
export async function* eventData(lines: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let data: string[] = [];
  let [hasEvents, other] = [false, ""];
  for await (const line of lines) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
    } else if (line.startsWith("data:")) {
      hasEvents = true;
      data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
    } else if (!/^(?:event|id|retry)?:/.test(line)) other ||= line;
  }
  if (!hasEvents && other !== "") yield other;
  // The standard drops an event that no blank line ends; servers that close at once after it mean it all the same.
  if (data.length > 0) yield data.join("\n");
}

/** One object per line. */
export async function* objectLines(lines: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  for await (const line of lines) if (line.trim() !== "") yield line;
}
