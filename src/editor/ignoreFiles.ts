// Finds, reads and watches the ignore files that apply to a document.
import { FileType, RelativePattern, Uri, workspace } from "vscode";
import { type Disposable, DisposableStore } from "../common/dispose.ts";
import { type FolderRules, ignoreFileNames, isIgnored, parseRules } from "./ignoreRules.ts";

interface Folder {
  readonly rules: FolderRules["rules"];
  readonly isRepositoryRoot: boolean;
}

const rulesPattern = `{${ignoreFileNames.join(",")}}`;

export class IgnoreFiles implements Disposable {
  readonly #folders = new Map<string, Promise<Folder>>();
  readonly #watchers = new DisposableStore();
  readonly #watched = new Set<string>();

  constructor() {
    this.#watch(`**/${rulesPattern}`);
  }

  async isIgnored(file: Uri): Promise<boolean> {
    const chain: FolderRules[] = [];
    const top = workspace.getWorkspaceFolder(file)?.uri.path;
    let outsideRepository = 1;
    let folder = Uri.joinPath(file, "..");
    for (;;) {
      const { rules, isRepositoryRoot } = await this.#folderOf(folder);
      chain.push({ relativePath: relativePath(folder, file), rules });
      if (isRepositoryRoot) return isIgnored(chain);
      if (folder.path === top) outsideRepository = chain.length;
      const parent = Uri.joinPath(folder, "..");
      if (parent.path === folder.path) break;
      folder = parent;
    }
    // A stray ignore file far above (a home folder under version control elsewhere) must not switch completions off.
    return isIgnored(chain.slice(0, outsideRepository));
  }

  dispose(): void {
    this.#watchers.dispose();
  }

  #folderOf(folder: Uri): Promise<Folder> {
    const key = folder.toString();
    const known = this.#folders.get(key);
    if (known) return known;
    const isInWorkspace = workspace.getWorkspaceFolder(folder) !== undefined;
    if (!isInWorkspace && !this.#watched.has(key)) {
      this.#watched.add(key);
      this.#watch(new RelativePattern(folder, rulesPattern));
    }
    const read = readFolder(folder);
    this.#folders.set(key, read);
    return read;
  }

  #watch(pattern: string | RelativePattern): void {
    const watcher = this.#watchers.add(workspace.createFileSystemWatcher(pattern));
    const forget = () => this.#folders.clear();
    watcher.onDidChange(forget);
    watcher.onDidCreate(forget);
    watcher.onDidDelete(forget);
  }
}

async function readFolder(folder: Uri): Promise<Folder> {
  const [isRepositoryRoot, ...texts] = await Promise.all([
    exists(Uri.joinPath(folder, ".git")),
    ...ignoreFileNames.map((name) => readText(Uri.joinPath(folder, name))),
  ]);
  return { rules: parseRules(texts), isRepositoryRoot };
}

async function exists(uri: Uri): Promise<boolean> {
  try {
    return (await workspace.fs.stat(uri)).type !== FileType.Unknown;
  } catch {
    // Not being there is the answer.
    return false;
  }
}

async function readText(uri: Uri): Promise<string> {
  try {
    return new TextDecoder().decode(await workspace.fs.readFile(uri));
  } catch {
    // Most folders have no ignore file.
    return "";
  }
}

function relativePath(folder: Uri, file: Uri): string {
  return file.path.slice(folder.path.endsWith("/") ? folder.path.length : folder.path.length + 1);
}
