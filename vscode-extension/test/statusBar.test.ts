import { beforeEach, describe, expect, it, vi } from "vitest";

import { type Status } from "../src/status";
import { StatusBar } from "../src/statusBar";

interface Folder {
  readonly uri: string;
  readonly name: string;
}

/** A window: its folders, the file of its active editor, its status bar. */
const vscode = vi.hoisted(() => {
  let edits = (): void => undefined;
  let moves: (change: { removed: readonly Folder[] }) => void = () => undefined;
  const item = { text: "", tooltip: "", show: () => undefined };
  const window = {
    activeTextEditor: undefined as { document: { uri: string } } | undefined,
    createStatusBarItem: () => item,
    onDidChangeActiveTextEditor: (act: typeof edits) => {
      edits = act;
    },
  };
  const workspace = {
    workspaceFolders: [] as readonly Folder[],
    getWorkspaceFolder: (file: string) =>
      workspace.workspaceFolders.find(({ uri }) => file.startsWith(`${uri}/`)),
    onDidChangeWorkspaceFolders: (act: typeof moves) => {
      moves = act;
    },
  };
  return {
    StatusBarAlignment: { Right: 2 },
    ThemeColor: Object,
    item,
    window,
    workspace,
    /** Makes a file's editor the active one; none, as while the status view has the focus. */
    open(file?: string) {
      window.activeTextEditor = file === undefined ? undefined : { document: { uri: file } };
      edits();
    },
    leave(folder: Folder) {
      workspace.workspaceFolders = workspace.workspaceFolders.filter((one) => one !== folder);
      moves({ removed: [folder] });
    },
  };
});
vi.mock("vscode", () => vscode);

const SHOP = { uri: "file:///work/shop", name: "shop" };
const BANK = { uri: "file:///work/bank", name: "bank" };
const FRESH: Status = { workspace: SHOP.uri, adapter: "shop-1", freshness: "fresh" };
const STALE: Status = { workspace: BANK.uri, adapter: "bank-1", freshness: "stale" };

function bar(folders: readonly Folder[], ...statuses: Status[]): StatusBar {
  vscode.workspace.workspaceFolders = folders;
  const made = new StatusBar();
  made.setServer("running");
  for (const status of statuses) {
    made.setStatus(status);
  }
  return made;
}

describe("the status bar of a window with several folders", () => {
  beforeEach(() => {
    vscode.window.activeTextEditor = undefined;
  });

  it("shows the status of the first until a file is opened", () => {
    bar([SHOP, BANK], FRESH, STALE);
    expect(vscode.item.text).toBe("$(check) Adapter fresh");
  });

  it.each([
    ["no editor is active", undefined],
    ["an editor of no folder is", "output:Personalizer"],
  ])("shows the status of the last file's folder, by name, while %s", (_, file) => {
    bar([SHOP, BANK], FRESH, STALE);
    vscode.open("file:///work/bank/A.java");
    vscode.open(file);
    expect(vscode.item.text).toBe("$(warning) Adapter stale");
    expect(vscode.item.tooltip).toMatch(/^bank\nAdapter bank-1/);
  });

  it("shows no other folder's status for a file", () => {
    bar([SHOP, BANK], FRESH);
    vscode.open("file:///work/bank/A.java");
    expect(vscode.item.tooltip).toContain("No status yet");
  });

  it("forgets a folder that leaves", () => {
    bar([SHOP, BANK], FRESH, STALE);
    vscode.open("file:///work/bank/A.java");
    vscode.open();
    vscode.leave(BANK);
    expect(vscode.item.text).toBe("$(check) Adapter fresh");
    vscode.workspace.workspaceFolders = [BANK];
    vscode.open("file:///work/bank/A.java");
    expect(vscode.item.tooltip).toContain("No status yet");
  });
});

describe("the status bar of a window with one folder", () => {
  it("shows its status, whatever file is open", () => {
    bar([SHOP], FRESH);
    vscode.open("file:///elsewhere/A.java");
    expect(vscode.item.text).toBe("$(check) Adapter fresh");
    expect(vscode.item.tooltip).toMatch(/^Adapter shop-1/);
  });
});
