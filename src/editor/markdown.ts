/**
 * Text that comes from a file or a process (model names, messages) as plain Markdown. Without this a model could name
 * itself a command link or an icon.
 */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, "\\$&").replace(/\s+/g, " ");
}

export function commandLink(label: string, command: string): string {
  return `[${label}](command:${command})`;
}
