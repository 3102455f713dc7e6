/** The status bar item. */

import * as vscode from "vscode";

import { type ServerState, type Status, view } from "./status";

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly statuses = new Map<string, Status>();
  private server: ServerState = "starting";
  /** Of the last active editor that showed a file of a folder; the status view has none. */
  private folder: string | undefined;
  private readonly listeners: readonly vscode.Disposable[];

  constructor() {
    this.item = vscode.window.createStatusBarItem("status", vscode.StatusBarAlignment.Right, 90);
    this.item.name = "Personalizer";
    this.listeners = [
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.follow();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => {
        for (const { uri } of removed) {
          this.statuses.delete(uri.toString());
        }
        this.follow();
      }),
    ];
    this.follow();
    this.item.show();
  }

  setServer(state: ServerState): void {
    this.server = state;
    if (state !== "running") {
      this.statuses.clear();
    }
    this.draw();
  }

  setStatus(status: Status): void {
    this.statuses.set(status.workspace, status);
    this.draw();
  }

  dispose(): void {
    for (const listener of this.listeners) {
      listener.dispose();
    }
    this.item.dispose();
  }

  private follow(): void {
    const file = vscode.window.activeTextEditor?.document.uri;
    const around = file && vscode.workspace.getWorkspaceFolder(file);
    this.folder = around?.uri.toString() ?? this.folder;
    this.draw();
  }

  private draw(): void {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const folder = folders.find(({ uri }) => uri.toString() === this.folder) ?? folders[0];
    const status = folder && this.statuses.get(folder.uri.toString());
    const shown = view(this.server, status);
    const name = status && folders.length > 1 ? [folder.name] : [];
    this.item.text = shown.text;
    this.item.tooltip = [...name, ...shown.tooltip].join("\n");
    this.item.backgroundColor = shown.warning
      ? new vscode.ThemeColor("statusBarItem.warningBackground")
      : undefined;
    this.item.command =
      this.server === "stopped" ? "personalizer.restartServer" : "personalizer.showStatusHere";
  }
}
